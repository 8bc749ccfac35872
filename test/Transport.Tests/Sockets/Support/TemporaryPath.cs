using System.Net.Sockets;

namespace LoopBridge.Transport.Tests.Sockets;

/// <summary>A path for a UNIX socket, in a directory of its own that goes away with it.</summary>
internal sealed class TemporaryPath : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("lb-");

    internal string Path => System.IO.Path.Combine(_directory.FullName, "s");

    internal UnixDomainSocketEndPoint EndPoint => new(Path);

    public void Dispose() => _directory.Delete(recursive: true);
}
