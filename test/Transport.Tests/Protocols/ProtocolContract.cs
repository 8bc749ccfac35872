using System.Net;
using LoopBridge.Protocols;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Protocols;

/// <summary>A contract test about protocols on a reactor, whatever that stands on.</summary>
public abstract class ProtocolContract : ReactorContract
{
    protected ProtocolContract() => Options = new TransportOptions { Logger = Log.CreateLogger("protocols") };

    /// <summary>With the log of the test.</summary>
    private protected TransportOptions Options { get; }

    private protected IListeningPort Listen(ReactorThread thread, Func<Protocol?> build)
        => thread.Reactor.ListenTcp(Loopback(), ProtocolFactory.Create(build), Options);

    /// <summary>What was logged by that name, at whatever level.</summary>
    private protected IReadOnlyList<LogEntry> Logged(string eventName) => [.. Log.Entries.Where(entry => entry.Id.Name == eventName)];

    private protected static IPEndPoint Loopback(int port = 0) => new(IPAddress.Loopback, port);

    /// <summary>Bytes that show when they are lost or swapped.</summary>
    private protected static byte[] Pattern(int length)
    {
        byte[] bytes = new byte[length];
        new Random(20090910).NextBytes(bytes); // any bytes that do not repeat; the same in every run
        return bytes;
    }

    // Not Assert.Equal: on megabytes it takes its time, and prints them.
    private protected static void AssertSameBytes(byte[] expected, byte[] actual)
        => Assert.True(expected.AsSpan().SequenceEqual(actual), $"{actual.Length} bytes came that are not the {expected.Length} expected.");
}
