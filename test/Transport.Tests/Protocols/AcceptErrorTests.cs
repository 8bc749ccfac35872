using System.Net.Sockets;
using LoopBridge.Drivers;
using LoopBridge.Protocols;
using LoopBridge.Sockets;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Protocols;

/// <summary>
/// Ports whose accept fails. Most of these errors the system does not give on demand, so they are put in between the listener and it.
/// </summary>
public sealed class AcceptErrorTests : ProtocolContract
{
    // ENFILE and EMFILE are one SocketError, and so are ENOBUFS and ENOMEM.
    [Theory, ReactorStacks(SocketError.NoBufferSpaceAvailable)]
    [Contract("R-TCPP-05")]
    public async Task Accept_OutOfMemory_LoggedAndTheBatchEnds_ThePortServesLater(ReactorStack stack, SocketError error)
    {
        (ReactorThread thread, FaultySocket socket, IListeningPort port) = ListenOnFaulty(stack);
        await thread.Do(() => socket.Errors.Enqueue(error));
        using Peer peer = await Peer.ConnectAsync(port);
        Assert.Equal("hello"u8.ToArray(), await peer.ReadAsync(5)); // after the rest, without another event

        Assert.Equal("AcceptExhausted", Log.TakeSingle(LogLevel.Warning).Id.Name);
        await port.StopListeningAsync().WithDeadline();
    }

    // Unlike the reference, whose batch ends: where readiness is told once, the clients behind would wait for the next one.
    [Theory, ReactorStacks(SocketError.ConnectionAborted)]
    [Contract("R-TCPP-05")]
    public async Task Accept_ConnectionDiedInTheQueue_LoggedAndTheNextIsServed(ReactorStack stack, SocketError error)
        => await IsSkippedAsync(stack, error);

    [Theory, ReactorStacks(SocketError.AccessDenied)]
    [Contract("R-TCPP-06")]
    public async Task Accept_RefusedByAPacketFilter_SkippedAndTheNextIsServed(ReactorStack stack, SocketError error)
        => await IsSkippedAsync(stack, error);

    [Theory, ReactorStacks(SocketError.SocketError)]
    [Contract("R-TCPP-06")]
    public async Task Accept_UnknownError_LoggedAsAFailure_ThePortSurvives(ReactorStack stack, SocketError error)
    {
        (ReactorThread thread, FaultySocket socket, IListeningPort port) = ListenOnFaulty(stack);
        await thread.Do(() => socket.Errors.Enqueue(error));
        using Peer peer = await Peer.ConnectAsync(port);
        Assert.Equal("hello"u8.ToArray(), await peer.ReadAsync(5));

        Assert.Equal("AcceptFailed", Log.TakeSingle(LogLevel.Error).Id.Name);
        await port.StopListeningAsync().WithDeadline();
    }

    [Theory, ReactorStacks(SocketError.TooManyOpenSockets)]
    [Contract("R-TCPP-03")]
    public async Task Accept_NoDescriptorAtAll_TheReservedOneTurnsAllAway_ThenThePortServes(ReactorStack stack, SocketError error)
    {
        SkipUnless(OperatingSystem.IsLinux(), "descriptors are reserved on Linux only");
        (ReactorThread thread, FaultySocket socket, IListeningPort port) = ListenOnFaulty(stack);
        await thread.Turn(); // in which the port starts
        Assert.True(DescriptorReservation.Process.IsHeld);
        Peer[] peers = [];
        Task<bool> blocked = thread.Ask(() =>
        {
            // Both are in the queue before the listener looks.
            peers = [.. Enumerable.Range(0, 2).Select(_ => Connect(port))];
            socket.Errors.Enqueue(error);
            return true;
        });
        Assert.True(await blocked);
        foreach (Peer peer in peers)
        {
            Assert.Empty(await peer.ReadToEndAsync()); // a clean close, no hang and no reset
            peer.Dispose();
        }

        await thread.Turn(); // the log is held back until the reservation is taken again, after the clients are closed
        Assert.Equal("TurningAway", Log.TakeSingle(LogLevel.Warning).Id.Name);
        Assert.True(DescriptorReservation.Process.IsHeld);
        using Peer served = await Peer.ConnectAsync(port);
        Assert.Equal("hello"u8.ToArray(), await served.ReadAsync(5));
        Assert.Single(Logged("ServingAgain"));
        await port.StopListeningAsync().WithDeadline();
        Assert.False(DescriptorReservation.Process.IsHeld);
    }

    [Theory, ReactorStacks(SocketError.TooManyOpenSockets)]
    [Contract("R-TCPP-05")]
    public async Task Accept_NoDescriptorAndNoReservation_LoggedAndTheBatchEnds_ThePortServesLater(ReactorStack stack, SocketError error)
    {
        (ReactorThread thread, FaultySocket socket, IListeningPort port) = ListenOnFaulty(stack);
        await thread.Do(() =>
        {
            DescriptorReservation.Process.Dispose(); // lost
            socket.Errors.Enqueue(error);
        });
        using Peer peer = await Peer.ConnectAsync(port);
        Assert.Equal("hello"u8.ToArray(), await peer.ReadAsync(5));

        Assert.Equal("AcceptExhausted", Log.TakeSingle(LogLevel.Warning).Id.Name);
        await port.StopListeningAsync().WithDeadline();
    }

    private async Task IsSkippedAsync(ReactorStack stack, SocketError error)
    {
        (ReactorThread thread, FaultySocket socket, IListeningPort port) = ListenOnFaulty(stack);
        int before = 0;
        await thread.Do(() =>
        {
            before = socket.Accepts;
            socket.Errors.Enqueue(error);
            socket.Errors.Enqueue(error);
        });
        using Peer peer = await Peer.ConnectAsync(port);
        Assert.Equal("hello"u8.ToArray(), await peer.ReadAsync(5));

        Assert.Equal(2, Logged("AcceptSkipped").Count);
        Assert.InRange(await thread.Ask(() => socket.Accepts) - before, 3, 4); // in one go: the two, the client, and none more
        await port.StopListeningAsync().WithDeadline();
    }

    private (ReactorThread Thread, FaultySocket Socket, IListeningPort Port) ListenOnFaulty(ReactorStack stack)
    {
        SkipUnless(stack.Name != "R/L/managed", "the managed loop listens on .NET's sockets alone, which no error can be put into");
        ReactorThread thread = StartReactor(stack);
        ISocketDriver driver = HandlerSocketDriver.For(ReactorNetwork.LoopOf(thread.Reactor));
        var socket = new FaultySocket(ListeningSockets.Listen(driver, Loopback(), new ListenSettings()));
        IListeningPort port = ListeningPort.Adopt(
            thread.Reactor,
            () => socket,
            ProtocolFactory.Create(static () => new TestProtocol { OnMade = p => p.Transport.Write("hello"u8) }),
            Options);
        return (thread, socket, port);
    }

    private static Peer Connect(IListeningPort port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(port.Host);
        return new Peer(socket);
    }
}
