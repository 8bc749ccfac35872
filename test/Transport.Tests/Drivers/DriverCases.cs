using System.Net;
using System.Net.Sockets;

namespace LoopBridge.Transport.Tests.Drivers;

/// <summary>Every driver, and every kind of address; a driver that the platform lacks is skipped by name.</summary>
public static class DriverCases
{
    private static readonly LoopDriver[] Drivers = [LoopDriver.Epoll, LoopDriver.Managed];

    public static IEnumerable<TheoryDataRow<LoopDriver>> All
        => Drivers.Select(driver => new TheoryDataRow<LoopDriver>(driver) { Skip = Missing(driver) });

    public static IEnumerable<TheoryDataRow<LoopBridgeMode, LoopDriver>> WithModes
        => from mode in Enum.GetValues<LoopBridgeMode>()
           from driver in Drivers
           select new TheoryDataRow<LoopBridgeMode, LoopDriver>(mode, driver) { Skip = Missing(driver) };

    public static IEnumerable<TheoryDataRow<LoopDriver, string>> WithAddresses
        => from driver in Drivers
           from address in (string[])["ipv4", "ipv6", "unix", "abstract"]
           select new TheoryDataRow<LoopDriver, string>(driver, address) { Skip = Missing(driver) ?? Missing(address) };

    /// <summary>An address of the kind that nobody uses; IP ports are chosen at bind.</summary>
    internal static EndPoint NewEndPoint(string address) => address switch
    {
        "ipv4" => new IPEndPoint(IPAddress.Loopback, 0),
        "ipv6" => new IPEndPoint(IPAddress.IPv6Loopback, 0),
        "unix" => new UnixDomainSocketEndPoint(Path.Combine(Path.GetTempPath(), $"loop-{Guid.NewGuid():N}.sock")),
        _ => new UnixDomainSocketEndPoint($"\0loop-{Guid.NewGuid():N}"),
    };

    private static string? Missing(LoopDriver driver)
        => driver == LoopDriver.Epoll && !OperatingSystem.IsLinux() ? "epoll is Linux's" : null;

    private static string? Missing(string address) => address switch
    {
        "ipv6" when !Socket.OSSupportsIPv6 => "this machine has no IPv6",
        "abstract" when !OperatingSystem.IsLinux() => "abstract names are Linux's",
        _ => null,
    };
}
