using System.Net;
using System.Net.Sockets;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace LoopBridge.Transport.Tests.Kestrel;

/// <summary>Listening sockets of the application's own making.</summary>
public sealed class ListenerHookTests
{
    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-21")]
    public async Task CreateBoundListenSocket_EachKindOfEndPoint_IsAskedAndServed(LoopBridgeMode mode, LoopDriver driver)
    {
        using var path = new TemporaryPath();
        using var inherited = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        inherited.Bind(TransportHost.AnyPort);
        var asked = new List<EndPoint>();
        var made = new List<Socket>();
        await using TransportHost host = Hooked(mode, driver, endPoint =>
        {
            asked.Add(endPoint);
            made.Add(SocketTransportOptions.CreateDefaultBoundListenSocket(endPoint));
            return made[^1];
        });
        EndPoint[] endPoints = [TransportHost.AnyPort, path.EndPoint, new FileHandleEndPoint((ulong)inherited.Handle, FileHandleType.Auto)];
        foreach (EndPoint endPoint in endPoints)
        {
            IConnectionListener listener = await host.BindAsync(endPoint);
            Assert.Equal(made[^1].LocalEndPoint!.ToString(), listener.EndPoint.ToString());
            (ConnectionContext connection, Socket client) = await host.ConnectAsync(listener);
            await client.SendTextAsync("x");
            Assert.Equal("x", await connection.Transport.Input.ReadTextAsync(1));
            await listener.UnbindAsync(TestContext.Current.CancellationToken).WithDeadline();
            Assert.Throws<ObjectDisposedException>(() => made[^1].LocalEndPoint);
            if (endPoint is not FileHandleEndPoint)
            {
                Assert.ThrowsAny<SocketException>(() => TransportHost.Dial(listener.EndPoint));
            }
        }

        Assert.Equal(endPoints, asked);
        Assert.False(File.Exists(path.Path));
        TransportHost.Dial(inherited.LocalEndPoint!).Dispose(); // it listens on
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-21")]
    public async Task CreateBoundListenSocket_ItsOptions_AreThoseOfTheListener(LoopBridgeMode mode, LoopDriver driver)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "SO_REUSEPORT is set by Linux's number.");
        await using TransportHost host = Hooked(mode, driver, endPoint =>
        {
            var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.SetRawSocketOption(1, 15, BitConverter.GetBytes(1)); // SOL_SOCKET, SO_REUSEPORT
            socket.Bind(endPoint);
            return socket;
        });
        IConnectionListener first = await host.BindAsync();
        IConnectionListener second = await host.BindAsync(first.EndPoint); // which one without the option would not have allowed
        await first.DisposeAsync().WithDeadline();
        await host.ConnectAsync(second);
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-21"), Contract("K-10"), Contract("K-11")]
    public async Task CreateBoundListenSocket_Failures_AreWhatABindsWouldBe(LoopBridgeMode mode, LoopDriver driver)
    {
        Func<EndPoint, Socket>? make = null;
        await using TransportHost host = Hooked(mode, driver, endPoint => make!(endPoint));
        make = static _ => throw new SocketException((int)SocketError.AddressAlreadyInUse);
        AddressInUseException inUse = await Assert.ThrowsAsync<AddressInUseException>(BindAsync);
        Assert.IsType<SocketException>(inUse.InnerException);
        make = static _ => throw new SocketException((int)SocketError.AddressNotAvailable);
        await Assert.ThrowsAsync<SocketException>(BindAsync);
        make = static _ => null!;
        InvalidOperationException none = await Assert.ThrowsAsync<InvalidOperationException>(BindAsync);
        Assert.Contains("LoopBridgeOptions.CreateBoundListenSocket gave no socket for 127.0.0.1:0", none.Message, StringComparison.Ordinal);

        // What is made and cannot listen must not stay open.
        Socket? unfit = null;
        make = _ => unfit = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        await Assert.ThrowsAnyAsync<SocketException>(BindAsync);
        Assert.Throws<ObjectDisposedException>(() => unfit!.Available);

        Task BindAsync() => host.Factory.BindAsync(TransportHost.AnyPort, TestContext.Current.CancellationToken).WithDeadline();
    }

    private static TransportHost Hooked(LoopBridgeMode mode, LoopDriver driver, Func<EndPoint, Socket> make)
        => new(mode, driver, configure: o => o.CreateBoundListenSocket = make);
}
