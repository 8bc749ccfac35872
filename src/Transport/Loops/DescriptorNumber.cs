using System.Net.Sockets;
using System.Runtime.InteropServices;
using LoopBridge.Interop;
using Microsoft.Win32.SafeHandles;

namespace LoopBridge.Loops;

/// <summary>
/// A descriptor that its user has as a bare number, in the form that loops keep. It holds nothing open and closes nothing.
/// </summary>
internal sealed class DescriptorNumber : SafeHandleMinusOneIsInvalid
{
    internal DescriptorNumber(nint number) : base(ownsHandle: false) => SetHandle(number);

    /// <summary>Closes a descriptor through what it was registered with: the owner is told, and a number is closed as one.</summary>
    internal static void CloseThrough(SafeHandle registered)
    {
        if (registered is not DescriptorNumber)
        {
            registered.Dispose();
            return;
        }

        nint number = registered.DangerousGetHandle();
        using SafeHandle owner = OperatingSystem.IsWindows()
            ? new SafeSocketHandle(number, ownsHandle: true)
            : new DescriptorHandle((int)number);
    }

    protected override bool ReleaseHandle() => true;
}
