using System.Runtime.InteropServices;

namespace LoopBridge.Interop;

internal static unsafe partial class LibC
{
    private const int AT_FDCWD = -100;
    private const int AT_SYMLINK_NOFOLLOW = 0x100;
    private const uint STATX_TYPE = 0x1;
    private const uint STATX_MTIME = 0x40;
    private const uint STATX_INO = 0x100;
    private const int FileTypeMask = 0xF000; // S_IFMT, inode(7)
    private const int SocketFileType = 0xC000; // S_IFSOCK

    /// <summary>What statx(2) tells of a file: the one form of stat whose layout is the same on every architecture.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    internal struct FileStatus
    {
        [FieldOffset(28)]
        internal ushort Mode;

        [FieldOffset(32)]
        internal ulong Inode;

        [FieldOffset(112)]
        internal long ModifiedSeconds;

        [FieldOffset(120)]
        internal uint ModifiedNanoseconds;

        [FieldOffset(136)]
        internal uint DeviceMajor;

        [FieldOffset(140)]
        internal uint DeviceMinor;

        internal readonly bool IsSocket => (Mode & FileTypeMask) == SocketFileType;
    }

    /// <summary>The file of that name itself, not what a symbolic link leads to.</summary>
    internal static PosixResult Status(string path, out FileStatus status)
    {
        fixed (FileStatus* pointer = &status)
        {
            return PosixResult.Of(statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_TYPE | STATX_INO | STATX_MTIME, pointer));
        }
    }

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int directory, string path, int flags, uint mask, FileStatus* status);
}
