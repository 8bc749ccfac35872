using System.Reflection;
using System.Reflection.Emit;

namespace LoopBridge.Architecture.Tests;

/// <summary>What a type mentions: in its declaration, its members' signatures, and the code of its methods.</summary>
internal static class TypeReferences
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<short, OpCode> Codes = typeof(OpCodes)
        .GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!)
        .ToDictionary(code => code.Value);

    internal static IEnumerable<Type> Of(Type type)
    {
        IEnumerable<Type?> mentioned = type.GetInterfaces().Append(type.BaseType)
            .Concat(type.GetFields(Declared).Select(field => field.FieldType))
            .Concat(type.GetProperties(Declared).Select(property => property.PropertyType))
            .Concat(Methods(type).SelectMany(SignatureTypes))
            .Concat(Methods(type).SelectMany(BodyLocals))
            .Concat(MembersOf(type).SelectMany(TypesOf));
        return mentioned.OfType<Type>().SelectMany(Parts).Distinct();
    }

    /// <summary>The members that the code of the type's methods names.</summary>
    internal static IEnumerable<MemberInfo> MembersOf(Type type)
        => Methods(type).SelectMany(BodyMembers);

    private static IEnumerable<MethodBase> Methods(Type type)
        => type.GetMethods(Declared).Cast<MethodBase>().Concat(type.GetConstructors(Declared));

    private static IEnumerable<Type?> SignatureTypes(MethodBase method)
        => method.GetParameters().Select(parameter => parameter.ParameterType).Append((method as MethodInfo)?.ReturnType);

    private static IEnumerable<Type?> BodyLocals(MethodBase method)
        => method.GetMethodBody()?.LocalVariables.Select(local => (Type?)local.LocalType) ?? [];

    private static IEnumerable<Type?> TypesOf(MemberInfo member) => member switch
    {
        Type type => [type],
        FieldInfo field => [field.DeclaringType, field.FieldType],
        MethodInfo method => [method.DeclaringType, .. SignatureTypes(method), .. method.IsGenericMethod ? method.GetGenericArguments() : []],
        _ => [member.DeclaringType],
    };

    // A constructed type mentions its arguments, a nested one its owner.
    private static IEnumerable<Type> Parts(Type type)
    {
        if (type.HasElementType)
        {
            return Parts(type.GetElementType()!);
        }

        IEnumerable<Type> parts = [type.IsGenericType ? type.GetGenericTypeDefinition() : type];
        return type.IsGenericType ? parts.Concat(type.GetGenericArguments().SelectMany(Parts)) : parts;
    }

    private static IEnumerable<MemberInfo> BodyMembers(MethodBase method)
    {
        if (method.GetMethodBody()?.GetILAsByteArray() is not { } code)
        {
            yield break;
        }

        Type[]? typeArguments = method.DeclaringType is { IsGenericType: true } owner ? owner.GetGenericArguments() : null;
        Type[]? methodArguments = method is MethodInfo { IsGenericMethod: true } ? method.GetGenericArguments() : null;
        int position = 0;
        while (position < code.Length)
        {
            short value = code[position++];
            if (value == 0xFE)
            {
                value = (short)((0xFE << 8) | code[position++]);
            }

            OpCode opCode = Codes[value];
            if (opCode.OperandType is OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType or OperandType.InlineTok)
            {
                yield return method.Module.ResolveMember(BitConverter.ToInt32(code, position), typeArguments, methodArguments)!;
            }

            position += SizeOf(opCode.OperandType, code, position);
        }
    }

    private static int SizeOf(OperandType operand, byte[] code, int position) => operand switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(code, position)),
        _ => 4,
    };
}
