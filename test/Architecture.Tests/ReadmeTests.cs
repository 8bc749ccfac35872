using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using LoopBridge.Deferreds;
using LoopBridge.Loops;
using LoopBridge.Protocols;
using LoopBridge.Reactors;

namespace LoopBridge.Architecture.Tests;

/// <summary>What the README says of names and of code is so.</summary>
public sealed partial class ReadmeTests
{
    private const string TableHeading = "## For Twisted and Tornado users: where things are";
    private const string TestingHeading = "## Testing your protocols";

    private static readonly Dictionary<string, Type> Objects = new(StringComparer.Ordinal)
    {
        ["reactor"] = typeof(IReactor),
        ["clock"] = typeof(IReactorTime),
        ["loop"] = typeof(IEventLoop),
        ["transport"] = typeof(ITransport),
        ["deferred"] = typeof(Deferred<>),
    };

    private static readonly Type[] PublicTypes =
        [.. typeof(EventLoop).Assembly.GetExportedTypes(), .. typeof(ILoopHandler).Assembly.GetExportedTypes()];

    [Fact]
    public void TableForTwistedAndTornadoUsers_NamesWhatExists()
    {
        string[] names =
        [
            .. RepositoryRoot.ReadmeSection(TableHeading).Where(line => line.StartsWith('|'))
                .SelectMany(line => CodeSpan().Matches(line.Split('|')[2]))
                .Select(match => match.Groups[1].Value),
        ];

        Assert.True(names.Length > 100, $"Only {names.Length} names were found: is the table still read right?");
        string[] missing = [.. names.Where(name => !Exists(name))];
        Assert.Empty(missing);
    }

    [Theory]
    [InlineData("reactor.callLater", false)]
    [InlineData("reactor.CallLater", true)]
    [InlineData("reactor.CallAfter", false)]
    [InlineData("reactor.ListenTcp", true)]
    [InlineData("loop.ListenTcp", false)]
    [InlineData("deferred.AddTimeout", true)]
    [InlineData("Deferred<T>.Callback", true)]
    [InlineData("LoopQueue<T>", true)]
    [InlineData("LoopQueue", false)]
    [InlineData("nobody.Run", false)]
    public void Exists_TellsWhatDoes(string name, bool exists) => Assert.Equal(exists, Exists(name));

    // The examples are those of a test that is compiled and run.
    [Fact]
    public void ExamplesOfTestingYourProtocols_AreThoseOfATest()
    {
        string file = Path.Combine(RepositoryRoot.Find(), "test", "Transport.Tests", "Manual", "ReadmeExampleTests.cs");
        string[] test = Trimmed(File.ReadAllLines(file));
        string[][] examples = [.. Examples(RepositoryRoot.ReadmeSection(TestingHeading))];

        Assert.Equal(2, examples.Length);
        foreach (string[] example in examples)
        {
            Assert.Contains(string.Join('\n', Trimmed(example)), string.Join('\n', test), StringComparison.Ordinal);
        }
    }

    private static bool Exists(string name)
    {
        string[] parts = name.Split('.');
        Type? type = parts.Length == 2 && Objects.TryGetValue(parts[0], out Type? known)
            ? known
            : PublicTypes.FirstOrDefault(each => NameOf(each) == parts[0]);
        return type is not null
            && (parts.Length == 1 || (parts.Length == 2 && (HasMember(type, parts[1]) || IsExtended(type, parts[1]))));
    }

    private static string NameOf(Type type)
        => type.IsGenericType
            ? $"{type.Name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(argument => argument.Name))}>"
            : type.Name;

    // An interface does not count what it inherits among its own.
    private static bool HasMember(Type type, string name)
        => new[] { type }.Concat(type.GetInterfaces()).Any(each => each.GetMember(
            name, BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.FlattenHierarchy).Length > 0);

    private static bool IsExtended(Type type, string name)
        => PublicTypes.Where(each => each.IsDefined(typeof(ExtensionAttribute), inherit: false))
            .SelectMany(each => each.GetMethods(BindingFlags.Public | BindingFlags.Static))
            .Where(method => method.Name == name && method.IsDefined(typeof(ExtensionAttribute), inherit: false))
            .Select(method => method.GetParameters()[0].ParameterType)
            .Any(extended => extended.IsAssignableFrom(type)
                || (extended.IsGenericType && type.IsGenericType && extended.GetGenericTypeDefinition() == type.GetGenericTypeDefinition()));

    private static IEnumerable<string[]> Examples(IEnumerable<string> section)
    {
        List<string>? example = null;
        foreach (string line in section)
        {
            if (line.StartsWith("```", StringComparison.Ordinal))
            {
                if (example is not null)
                {
                    yield return [.. example];
                }

                example = example is null ? [] : null;
            }
            else
            {
                example?.Add(line);
            }
        }
    }

    private static string[] Trimmed(IEnumerable<string> lines) => [.. lines.Select(line => line.Trim())];

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex CodeSpan();
}
