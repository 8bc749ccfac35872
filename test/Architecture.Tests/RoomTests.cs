using LoopBridge.Bridge;
using LoopBridge.Loops;

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
        string[] wrong = [.. typeof(ReactorOnLoop).Assembly.GetTypes()
            .Where(type => RoomOf(type) is "Bridge" or "Reactors")
            .SelectMany(type => TypeReferences.MembersOf(type).Select(member => (From: type, Member: member)))
            .Where(use => use.Member.DeclaringType is { } owner && RoomOf(owner) == "Loops")
            .Where(use => !IsPublicLoopMember(use.Member))
            .Select(use => $"{use.From.FullName} -> {use.Member.DeclaringType!.FullName}.{use.Member.Name}")
            .Distinct()
            .Order()];
        Assert.Empty(wrong);
    }

    private static bool IsPublicLoopMember(System.Reflection.MemberInfo member)
        => member.DeclaringType != typeof(EventLoop)
            && member.DeclaringType!.IsVisible
            && member is not System.Reflection.MethodBase { IsPublic: false };

    private static System.Reflection.Assembly AssemblyOf(string half)
        => half == "transport" ? typeof(EventLoop).Assembly : typeof(ILoopHandler).Assembly;

    private static string? RoomOf(Type type)
    {
        string[] parts = type.Namespace?.Split('.') ?? [];
        return parts is ["LoopBridge", var room, ..] && type.Assembly.GetName().Name!.StartsWith("LoopBridge", StringComparison.Ordinal) ? room : null;
    }
}
