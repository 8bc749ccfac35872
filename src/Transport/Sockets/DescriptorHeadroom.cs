using System.Runtime.InteropServices;
using LoopBridge.Interop;

namespace LoopBridge.Sockets;

/// <summary>
/// The last few descriptors of the process, which connections must not have: the runtime needs some to go on at all (with none left it was
/// seen to end the process with "Out of memory."), and so do logs and handlers.
/// </summary>
/// <remarks>
/// The kernel gives the lowest number that is free (open(2)), so a number near the limit says that the table is nearly full: no count has
/// to be kept, and nobody's descriptor has to be held back. Linux only; elsewhere accept goes on until it fails.
/// </remarks>
internal static class DescriptorHeadroom
{
    private const int Most = 32;
    private const int Least = 4;

    /// <summary>Whether there is hardly anything left behind this newest descriptor.</summary>
    internal static bool IsUsedUpBy(SafeHandle newest) => IsBeyond((int)newest.DangerousGetHandle());

    /// <summary>Whether the next connection would leave enough.</summary>
    internal static bool HasRoom()
    {
        if (!OperatingSystem.IsLinux())
        {
            return true;
        }

        PosixResult probe = LibC.EventFd();
        if (!probe.IsOk)
        {
            return false;
        }

        _ = LibC.Close(probe.Value);
        return !IsBeyond(probe.Value);
    }

    // Asked each time: prlimit(1) may have changed it, and next to an accept it costs nothing.
    private static bool IsBeyond(int descriptor)
    {
        if (!OperatingSystem.IsLinux() || !LibC.DescriptorLimit(out long limit).IsOk)
        {
            return false;
        }

        return descriptor >= limit - Math.Clamp(limit / 16, Least, Most);
    }
}
