using System.Net;
using System.Net.Sockets;
using LoopBridge.Protocols;
using LoopBridge.Resolvers;

namespace LoopBridge.Transport.Tests.Protocols;

/// <summary>Does what the test says, and remembers what a connector told it.</summary>
internal sealed class RecordingFactory : ClientFactory
{
    private readonly TaskCompletionSource _built = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<Exception> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal List<string> Events { get; } = [];

    internal List<IConnector> Connectors { get; } = [];

    internal Action<IConnector>? OnStarted { get; init; }

    internal Func<TestProtocol?>? OnBuild { get; init; }

    internal Action<IConnector, Exception>? OnFailed { get; init; }

    internal Action<IConnector, Exception>? OnLost { get; init; }

    internal TestProtocol? Protocol { get; private set; }

    internal EndPoint? Peer { get; private set; }

    internal Task Built => _built.Task;

    /// <summary>The first failure or loss.</summary>
    internal Task<Exception> Ended => _ended.Task;

    public override void StartedConnecting(IConnector connector)
    {
        Events.Add("started");
        Connectors.Add(connector);
        OnStarted?.Invoke(connector);
    }

    public override Protocol? BuildProtocol(EndPoint? peer)
    {
        Events.Add("build");
        Peer = peer;
        Protocol = OnBuild is null ? new TestProtocol { OnLost = (_, _) => Events.Add("protocol lost") } : OnBuild();
        _built.TrySetResult();
        return Protocol;
    }

    public override void ClientConnectionFailed(IConnector connector, Exception reason)
    {
        Events.Add("failed");
        Connectors.Add(connector);
        _ended.TrySetResult(reason);
        OnFailed?.Invoke(connector, reason);
    }

    public override void ClientConnectionLost(IConnector connector, Exception reason)
    {
        Events.Add("lost");
        Connectors.Add(connector);
        _ended.TrySetResult(reason);
        OnLost?.Invoke(connector, reason);
    }

    protected override void StartFactory() => Events.Add("start");

    protected override void StopFactory() => Events.Add("stop");
}

/// <summary>Takes its time.</summary>
internal sealed class NeverResolver : INameResolver
{
    public async ValueTask<NameResolution> ResolveAsync(
        string host, int port, AddressFamily family = AddressFamily.Unspecified, CancellationToken cancellationToken = default)
    {
        await Task.Delay(Timeout.Infinite, cancellationToken);
        throw new InvalidOperationException("The wait has no end.");
    }
}
