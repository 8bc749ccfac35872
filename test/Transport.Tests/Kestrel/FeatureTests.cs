using System.Net;
using System.Net.Sockets;
using LoopBridge.Kestrel;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace LoopBridge.Transport.Tests.Kestrel;

public sealed class FeatureTests
{
    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-40"), Contract("K-45"), Contract("K-39"), Contract("K-47")]
    public async Task Features_FromBirth_AreTheContextsOwnState(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        (ConnectionContext connection, _) = await host.ConnectAsync();
        IFeatureCollection features = connection.Features;
        var id = features.Get<IConnectionIdFeature>()!;
        id.ConnectionId = "mine";
        Assert.Equal("mine", connection.ConnectionId);
        var items = features.Get<IConnectionItemsFeature>()!;
        items.Items["key"] = "value";
        Assert.Equal("value", connection.Items["key"]);
        var transport = features.Get<IConnectionTransportFeature>()!;
        Assert.Same(connection.Transport, transport.Transport);
        var lifetime = features.Get<IConnectionLifetimeFeature>()!;
        Assert.Equal(connection.ConnectionClosed, lifetime.ConnectionClosed);
        var ends = features.Get<IConnectionEndPointFeature>()!;
        Assert.Equal(connection.RemoteEndPoint, ends.RemoteEndPoint);
        ends.RemoteEndPoint = new IPEndPoint(IPAddress.Broadcast, 7); // as a PROXY protocol middleware does
        Assert.Equal(ends.RemoteEndPoint, connection.RemoteEndPoint);
        Assert.NotNull(features.Get<IConnectionSocketFeature>());
        Assert.Same(host.Group.Members.Single(member => member.Connections == 1).Loop, features.Get<ILoopConnectionFeature>()!.Loop);
        Assert.Null(features.Get<IConnectionHeartbeatFeature>());
        Assert.Null(features.Get<IConnectionCompleteFeature>());
        Assert.Null(features.Get<IConnectionLifetimeNotificationFeature>());
        Assert.Null(features.Get<IConnectionInherentKeepAliveFeature>());
        Assert.Null(features.Get<ITlsConnectionFeature>());
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-39")]
    public async Task Features_SetReplacedAndRemoved_AreSeenSo(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        (ConnectionContext connection, _) = await host.ConnectAsync();
        IFeatureCollection features = connection.Features;
        int born = features.Count();
        int revision = features.Revision;
        Assert.False(features.IsReadOnly);
        features.Set("a feature");
        Assert.Equal("a feature", features.Get<string>());
        Assert.NotEqual(revision, features.Revision);
        Assert.Contains(features, feature => feature.Key == typeof(string) && Equals(feature.Value, "a feature"));
        features[typeof(string)] = "another";
        Assert.Equal("another", features.Get<string>());
        features.Set<string>(null);
        Assert.Null(features.Get<string>());
        features.Set<IConnectionIdFeature>(null);
        Assert.Null(features.Get<IConnectionIdFeature>());
        Assert.Equal(born - 1, features.Count());
        Assert.Null(features[typeof(FeatureTests)]);
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-39")]
    public async Task Features_OneObjectUnderSeveralKeys_EachKeyIsItsOwn(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        IFeatureCollection features = (await host.ConnectAsync()).Connection.Features;
        IFeatureCollection others = (await host.ConnectAsync()).Connection.Features;
        int born = features.Count();
        var server = new Version(1, 0);
        Type[] keys = [typeof(Version), typeof(ICloneable), typeof(IComparable), typeof(IFormattable)]; // as Kestrel sets itself under four
        foreach (Type key in keys)
        {
            features[key] = server;
        }

        others[keys[1]] = server; // in another order
        Assert.All(keys, key => Assert.Same(server, features[key]));
        Assert.Same(server, others[keys[1]]);
        Assert.Null(others[keys[0]]);

        features[keys[1]] = "another";
        features[keys[2]] = null;
        features[keys[3]] = server; // once more
        Assert.Equal([server, "another", null, server], keys.Select(key => features[key]));
        Assert.Equal(born + 3, features.Count());

        features[keys[1]] = server;
        features[keys[2]] = server;
        Assert.All(keys, key => Assert.Same(server, features[key]));
        Assert.Equal(born + keys.Length, features.Count());
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-42"), Contract("K-81")]
    public async Task MemoryPool_IsThePipesOwnAndFromTheFactory(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        (ConnectionContext connection, _) = await host.ConnectAsync();
        Assert.True(host.Pools.Made(connection.Features.Get<IMemoryPoolFeature>()!.MemoryPool));
        Assert.Equal(2, host.Pools.Owners.Count); // one for each loop
        Assert.All(host.Pools.Owners, owner => Assert.Equal("kestrel", owner));
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-41")]
    public async Task Socket_OfLiveConnection_ReadsOptionsAndDoesNotOwnTheDescriptor(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        Socket socket = connection.Features.Get<IConnectionSocketFeature>()!.Socket;
        Assert.Same(socket, connection.Features.Get<IConnectionSocketFeature>()!.Socket);
        Assert.Equal(client.LocalEndPoint, socket.RemoteEndPoint);
        Assert.Equal(client.RemoteEndPoint, socket.LocalEndPoint);
        Assert.Equal(SocketType.Stream, socket.SocketType);
        Assert.True(socket.NoDelay);
        Assert.True((int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReceiveBuffer)! > 0);
        socket.Dispose();
        await client.SendTextAsync("x");
        Assert.Equal("x", await connection.Transport.Input.ReadTextAsync(1));
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-41")]
    public async Task Socket_AfterClose_IsDisposed(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        (ConnectionContext used, _) = await host.ConnectAsync();
        Socket socket = used.Features.Get<IConnectionSocketFeature>()!.Socket;
        await used.DisposeAsync().WithDeadline();
        Assert.Throws<ObjectDisposedException>(() => socket.NoDelay);
        (ConnectionContext unused, _) = await host.ConnectAsync();
        await unused.DisposeAsync().WithDeadline();
        Assert.Throws<ObjectDisposedException>(() => unused.Features.Get<IConnectionSocketFeature>()!.Socket);
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-44")]
    public async Task ConnectionId_ManyConnections_AreUnique(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        IConnectionListener listener = await host.BindAsync();
        var ids = new HashSet<string>();
        for (int i = 0; i < 20; i++)
        {
            (ConnectionContext connection, _) = await host.ConnectAsync(listener);
            Assert.NotEmpty(connection.ConnectionId);
            Assert.Equal(connection.ConnectionId, connection.ConnectionId);
            Assert.True(ids.Add(connection.ConnectionId));
        }
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-44")]
    public async Task ConnectionId_TwoFirstReadersAtOnce_GetOneId(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        IConnectionListener listener = await host.BindAsync();
        using var together = new Barrier(3);
        for (int i = 0; i < 100; i++)
        {
            using Socket client = TransportHost.Dial(listener.EndPoint);
            await using ConnectionContext? connection = await listener.AcceptAsync(TestContext.Current.CancellationToken).WithDeadline();
            string[] ids = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Factory.StartNew(
                () =>
                {
                    Assert.True(together.SignalAndWait(Deadline.Default));
                    return connection!.ConnectionId;
                },
                CancellationToken.None,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default))).WithDeadline();
            Assert.All(ids, id => Assert.Equal(connection!.ConnectionId, id));
        }
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-46")]
    public async Task Items_AreTheSameEachTimeAndReplaceable(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        (ConnectionContext connection, _) = await host.ConnectAsync();
        Assert.Same(connection.Items, connection.Items);
        var mine = new Dictionary<object, object?> { ["a"] = 1 };
        connection.Items = mine;
        Assert.Same(mine, connection.Features.Get<IConnectionItemsFeature>()!.Items);
    }
}
