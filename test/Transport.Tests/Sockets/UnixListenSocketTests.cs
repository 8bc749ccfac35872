using System.Net.Sockets;
using LoopBridge.Sockets;
using LoopBridge.Streams;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Sockets;

public sealed class UnixListenSocketTests : LoopContract
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Everybody = OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    [Theory, LoopStacks]
    [Contract("L-NET-04")]
    public void Bind_NewPath_OnlyTheOwnerMayConnect(LoopStack stack)
    {
        using var path = new TemporaryPath();

        Listen(stack, path);

        Assert.Equal(OwnerOnly, ModeOf(path));
        Connect(path);
    }

    [Theory, LoopStacks]
    [Contract("L-NET-04")]
    public void Bind_ModeGiven_IsTheFilesWhateverTheUmask(LoopStack stack)
    {
        using var path = new TemporaryPath();

        Listen(stack, path, Everybody);

        Assert.Equal(Everybody, ModeOf(path));
    }

    [Theory, LoopStacks]
    [Contract("L-NET-04")]
    public void Bind_OldSocket_IsReplaced(LoopStack stack)
    {
        using var path = new TemporaryPath();
        LoopSockets.BindUnix(path.Path).Dispose();
        Assert.True(File.Exists(path.Path)); // what a process leaves that was killed
        Assert.Throws<SocketException>(() => Connect(path));

        Listen(stack, path);

        Connect(path);
    }

    [Theory, LoopStacks]
    [Contract("L-NET-04")]
    public void Bind_OtherFile_ThrowsAndLeavesIt(LoopStack stack)
    {
        using var path = new TemporaryPath();
        File.WriteAllText(path.Path, "somebody's letters");

        CannotListenException error = Assert.Throws<CannotListenException>(() => Listen(stack, path));

        Assert.Equal(SocketError.AddressAlreadyInUse, error.SocketErrorCode);
        Assert.Contains(path.Path, error.Message, StringComparison.Ordinal);
        Assert.Equal("somebody's letters", File.ReadAllText(path.Path));
    }

    [Theory, LoopStacks]
    [Contract("L-NET-04")]
    public void Bind_LinkToASocket_ThrowsAndLeavesBoth(LoopStack stack)
    {
        using var path = new TemporaryPath();
        using var other = new TemporaryPath();
        LoopSockets.BindUnix(other.Path).Dispose();
        File.CreateSymbolicLink(path.Path, other.Path);

        Assert.Throws<CannotListenException>(() => Listen(stack, path));

        Assert.True(File.Exists(other.Path));
        Assert.NotNull(new FileInfo(path.Path).LinkTarget);
    }

    [Theory, LoopStacks]
    public async Task Stop_OwnFile_IsRemoved(LoopStack stack)
    {
        using var path = new TemporaryPath();
        LoopTcpServer server = Listen(stack, path);

        await server.DisposeAsync();

        Assert.False(File.Exists(path.Path));
    }

    // A successor replaced the file while the old process was still finishing: that file is not ours any more.
    [Theory, LoopStacks]
    public async Task Stop_FileOfASuccessor_Stays(LoopStack stack)
    {
        using var path = new TemporaryPath();
        LoopTcpServer server = Listen(stack, path);
        LoopTcpServer successor = Listen(stack, path);

        await server.DisposeAsync();

        Connect(path);
        await successor.DisposeAsync();
        Assert.False(File.Exists(path.Path));
    }

    private static UnixFileMode ModeOf(TemporaryPath path) => OperatingSystem.IsWindows() ? default : File.GetUnixFileMode(path.Path);

    private static void Connect(TemporaryPath path)
    {
        using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        client.Connect(path.EndPoint);
    }

    private LoopTcpServer Listen(LoopStack stack, TemporaryPath path, UnixFileMode mode = OwnerOnly)
    {
        SkipUnless(OperatingSystem.IsLinux(), "Files of UNIX sockets are told from others on Linux only.");
        var server = new LoopTcpServer(NewLoop(stack), _ => Task.CompletedTask, new LoopTcpServerOptions { UnixSocketMode = mode });
        server.Listen(path.EndPoint);
        return server;
    }
}
