using System.Net.Sockets;
using LoopBridge.Sockets;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Sockets;
using Microsoft.AspNetCore.Connections;

namespace LoopBridge.Transport.Tests.Kestrel;

public sealed class ListenerUnixTests
{
    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-15"), Contract("K-16")]
    public async Task Unbind_SocketFile_IsRemovedAndConnectionsGoOn(LoopBridgeMode mode, LoopDriver driver)
    {
        using var path = new TemporaryPath();
        await using var host = new TransportHost(mode, driver);
        IConnectionListener listener = await host.BindAsync(path.EndPoint);
        Assert.Equal(path.EndPoint, listener.EndPoint);
        Assert.True(File.Exists(path.Path));
        (ConnectionContext connection, Socket client) = await host.ConnectAsync(listener);
        Assert.IsType<UnixDomainSocketEndPoint>(connection.RemoteEndPoint);
        await listener.UnbindAsync(TestContext.Current.CancellationToken).WithDeadline();
        Assert.False(File.Exists(path.Path));
        await client.SendTextAsync("still there");
        Assert.Equal("still there", await connection.Transport.Input.ReadTextAsync(11));
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-15"), Contract("K-20")]
    public async Task BindAsync_PathJustUnbound_BindsAgain(LoopBridgeMode mode, LoopDriver driver)
    {
        using var path = new TemporaryPath();
        await using var host = new TransportHost(mode, driver);
        IConnectionListener first = await host.BindAsync(path.EndPoint);
        await first.DisposeAsync().WithDeadline();
        await host.ConnectAsync(await host.BindAsync(path.EndPoint));
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-15")]
    public async Task BindAsync_FileIsThere_InUseAndNotDeleted(LoopBridgeMode mode, LoopDriver driver)
    {
        using var path = new TemporaryPath();
        await File.WriteAllTextAsync(path.Path, "somebody's", TestContext.Current.CancellationToken);
        await using var host = new TransportHost(mode, driver);
        AddressInUseException e = await Assert.ThrowsAsync<AddressInUseException>(
            () => host.Factory.BindAsync(path.EndPoint, TestContext.Current.CancellationToken).WithDeadline());
        Assert.Contains(path.Path, e.Message, StringComparison.Ordinal);
        Assert.Equal("somebody's", await File.ReadAllTextAsync(path.Path, TestContext.Current.CancellationToken));
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-15"), Contract("K-10")]
    public async Task BindAsync_SocketOfNobody_InUseAndNotDeleted(LoopBridgeMode mode, LoopDriver driver)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "A socket whose file stays is made as on Linux.");
        using var path = new TemporaryPath();
        UnixListenSocket.Listen(path.EndPoint, UnixListenSocket.DefaultMode, backlog: 1).Dispose(); // as a process that was killed leaves it
        await using var host = new TransportHost(mode, driver);
        await Assert.ThrowsAsync<AddressInUseException>(
            () => host.Factory.BindAsync(path.EndPoint, TestContext.Current.CancellationToken).WithDeadline());
        Assert.True(File.Exists(path.Path));
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-15")]
    public async Task BindAsync_FileMode_FollowsTheUmask(LoopBridgeMode mode, LoopDriver driver)
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Skip("The umask is read as Linux tells it.");
            return;
        }

        using var path = new TemporaryPath();
        await using var host = new TransportHost(mode, driver);
        await host.BindAsync(path.EndPoint);

        // proc(5), status: "Umask:" in octal.
        string umask = File.ReadLines("/proc/self/status").Single(line => line.StartsWith("Umask:", StringComparison.Ordinal));
        var masked = (UnixFileMode)Convert.ToInt32(umask["Umask:".Length..].Trim(), 8);
        Assert.Equal((UnixFileMode)0b111_111_111 & ~masked, File.GetUnixFileMode(path.Path));
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-15")]
    public async Task Unbind_FileOfASuccessor_Stays(LoopBridgeMode mode, LoopDriver driver)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Files of one name are told apart as on Linux.");
        Assert.SkipWhen(driver == LoopDriver.Managed && mode == LoopBridgeMode.ReactorOnLoop,
            "A .NET socket, which the managed loop listens on, removes whatever has its name.");
        using var path = new TemporaryPath();
        await using var host = new TransportHost(mode, driver);
        IConnectionListener first = await host.BindAsync(path.EndPoint);
        File.Delete(path.Path); // as daemons do that replace each other
        IConnectionListener second = await host.BindAsync(path.EndPoint);
        await first.DisposeAsync().WithDeadline();
        await host.ConnectAsync(second);
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-16"), Contract("K-31")]
    public async Task AcceptAsync_UnnamedClient_HasAnUnnamedEndPointAndNoTcpOptions(LoopBridgeMode mode, LoopDriver driver)
    {
        using var path = new TemporaryPath();
        await using var host = new TransportHost(mode, driver);
        (ConnectionContext connection, _) = await host.ConnectAsync(await host.BindAsync(path.EndPoint));
        Assert.Equal("", Assert.IsType<UnixDomainSocketEndPoint>(connection.RemoteEndPoint).ToString());
        Assert.Equal(path.EndPoint, connection.LocalEndPoint);
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-16")]
    public async Task BindAsync_MissingDirectory_IsASocketExceptionAndNotInUse(LoopBridgeMode mode, LoopDriver driver)
    {
        using var path = new TemporaryPath();
        await using var host = new TransportHost(mode, driver);
        SocketException e = await Assert.ThrowsAnyAsync<SocketException>(() => host.Factory.BindAsync(
            new UnixDomainSocketEndPoint(path.Path + "/missing/s"), TestContext.Current.CancellationToken).WithDeadline());
        Assert.NotEqual(SocketError.AddressAlreadyInUse, e.SocketErrorCode);
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-16")]
    public async Task BindAsync_AbstractName_Serves(LoopBridgeMode mode, LoopDriver driver)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Abstract names are Linux only.");
        await using var host = new TransportHost(mode, driver);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync(
            await host.BindAsync(new UnixDomainSocketEndPoint($"\0loopbridge-{Guid.NewGuid():N}")));
        await connection.Transport.Output.WriteTextAsync("hello");
        Assert.Equal("hello"u8.ToArray(), await client.ReceiveExactlyAsync(5));
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-23"), Contract("K-34")]
    public async Task Unbind_DirectoryIsGone_StillEndsAccepting(LoopBridgeMode mode, LoopDriver driver)
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("lb-");
        await using var host = new TransportHost(mode, driver);
        IConnectionListener listener = await host.BindAsync(new UnixDomainSocketEndPoint(Path.Combine(directory.FullName, "s")));
        Task<ConnectionContext?> pending = listener.AcceptAsync(TestContext.Current.CancellationToken).AsTask();
        directory.Delete(recursive: true);
        await listener.UnbindAsync(TestContext.Current.CancellationToken).WithDeadline();
        Assert.Null(await pending.WithDeadline());
    }
}
