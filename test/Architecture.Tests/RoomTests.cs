using LoopBridge.Bridge;
using LoopBridge.Loops;
using LoopBridge.Reactors;

namespace LoopBridge.Architecture.Tests;

/// <summary>Bytes go down the list of rooms; a room knows those above it and none below.</summary>
public sealed class RoomTests
{
    // Resolvers stands above Streams and Protocols, because everything that connects by name asks it.
    private static readonly string[] TransportRooms =
    [
        "Interop", "Drivers", "Loops", "Deferreds", "Coordination", "Reactors", "Bridge", "Sockets", "Resolvers", "Streams", "Processes",
        "Protocols", "Manual", "Kestrel",
    ];

    private static readonly string[] FrontRooms = ["Diagnostics", "Handlers", "Http", "Hosting"];

    // The native reactor and the loop on a reactor share queues and timers with the native loop; those that make a group of them are the
    // group's own. None stands on a loop.
    private static readonly string[] NotOnALoop = [nameof(Reactor), nameof(LoopOnReactor), "NativeReactorEngine", "LoopGroups"];

    public static TheoryData<string, string> Rooms()
    {
        var rooms = new TheoryData<string, string>();
        foreach (string room in TransportRooms)
        {
            rooms.Add("transport", room);
        }

        foreach (string room in FrontRooms)
        {
            rooms.Add("front", room);
        }

        return rooms;
    }

    [Theory]
    [MemberData(nameof(Rooms))]
    public void Room_KnowsOnlyRoomsAboveIt(string half, string room)
    {
        string[] order = half == "transport" ? TransportRooms : FrontRooms;
        Type[] types = [.. AssemblyOf(half).GetTypes().Where(type => RoomOf(type) == room)];
        Assert.NotEmpty(types);
        string[] wrong = [.. types
            .SelectMany(type => TypeReferences.Of(type).Select(reference => (From: type, To: reference)))
            .Where(pair => Array.IndexOf(order, RoomOf(pair.To)) > Array.IndexOf(order, room))
            .Select(pair => $"{pair.From.FullName} -> {pair.To.FullName}")
            .Distinct()
            .Order()];
        Assert.Empty(wrong);
    }

    [Fact]
    public void EveryRoom_IsInTheList()
    {
        string[] known = [.. TransportRooms, .. FrontRooms];
        string[] unknown = [.. new[] { "transport", "front" }
            .SelectMany(half => AssemblyOf(half).GetTypes())
            .Select(RoomOf)
            .OfType<string>()
            .Distinct()
            .Except(known)];
        Assert.Empty(unknown);
    }

    [Fact]
    public void ReactorOnLoop_UsesNothingOfTheLoopButItsPublicInterface()
    {
        string[] wrong = UsesOf(
            "Loops",
            type => RoomOf(type) is "Bridge" or "Reactors" && !NotOnALoop.Contains(OutermostOf(type).Name),
            member => IsPublic(member) && member.DeclaringType != typeof(EventLoop));
        Assert.Empty(wrong);
    }

    [Fact]
    public void LoopOnReactor_UsesNothingOfTheReactorButItsPublicInterface()
    {
        string[] wrong = UsesOf(
            "Reactors",
            type => OutermostOf(type) == typeof(LoopOnReactor),
            member => IsPublic(member)
                && (member.DeclaringType is { IsInterface: true } or { IsEnum: true }
                    || member.DeclaringType == typeof(SystemEvents)
                    || member.DeclaringType!.IsAssignableTo(typeof(Exception))));
        Assert.Empty(wrong);
    }

    private static string[] UsesOf(string room, Func<Type, bool> isUser, Func<System.Reflection.MemberInfo, bool> isAllowed) =>
    [
        .. typeof(ReactorOnLoop).Assembly.GetTypes()
            .Where(isUser)
            .SelectMany(type => TypeReferences.MembersOf(type).Select(member => (From: type, Member: member)))
            .Where(use => use.Member.DeclaringType is { } owner && RoomOf(owner) == room)
            .Where(use => !isAllowed(use.Member))
            .Select(use => $"{use.From.FullName} -> {use.Member.DeclaringType!.FullName}.{use.Member.Name}")
            .Distinct()
            .Order(),
    ];

    private static bool IsPublic(System.Reflection.MemberInfo member)
        => member.DeclaringType!.IsVisible && member is not System.Reflection.MethodBase { IsPublic: false };

    private static Type OutermostOf(Type type) => type.DeclaringType is { } outer ? OutermostOf(outer) : type;

    private static System.Reflection.Assembly AssemblyOf(string half)
        => half == "transport" ? typeof(EventLoop).Assembly : typeof(ILoopHandler).Assembly;

    private static string? RoomOf(Type type)
    {
        string[] parts = type.Namespace?.Split('.') ?? [];
        return parts is ["LoopBridge", var room, ..] && type.Assembly.GetName().Name!.StartsWith("LoopBridge", StringComparison.Ordinal) ? room : null;
    }
}
