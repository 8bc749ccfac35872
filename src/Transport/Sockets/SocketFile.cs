using LoopBridge.Interop;

namespace LoopBridge.Sockets;

/// <summary>
/// The file of one UNIX listener, told from a later file of the same name: a server that ends must not remove the socket of its successor.
/// Linux only.
/// </summary>
internal sealed class SocketFile
{
    private readonly string _path;
    private readonly LibC.FileStatus _status;

    private SocketFile(string path, in LibC.FileStatus status)
    {
        _path = path;
        _status = status;
    }

    /// <summary>The socket of that name; null if there is none, or a file of another kind.</summary>
    internal static SocketFile? Find(string path)
        => LibC.Status(path, out LibC.FileStatus status).IsOk && status.IsSocket ? new SocketFile(path, status) : null;

    /// <summary>Whether the name still means the same file. Inodes are used again, so the time of its making counts, too.</summary>
    internal bool IsThere => LibC.Status(_path, out LibC.FileStatus now).IsOk
        && now.Inode == _status.Inode
        && now.DeviceMajor == _status.DeviceMajor
        && now.DeviceMinor == _status.DeviceMinor
        && now.ModifiedSeconds == _status.ModifiedSeconds
        && now.ModifiedNanoseconds == _status.ModifiedNanoseconds;

    /// <summary>Removes it, unless the name means another file by now or the directory does not let us.</summary>
    internal void Remove()
    {
        if (!IsThere)
        {
            return;
        }

        try
        {
            File.Delete(_path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Expected when the directory's rights have changed: the listener has ended all the same, and the next one replaces the file.
        }
    }
}
