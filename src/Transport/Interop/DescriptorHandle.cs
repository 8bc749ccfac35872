using Microsoft.Win32.SafeHandles;

namespace LoopBridge.Interop;

/// <summary>
/// Owns one descriptor. A driver holds a reference for as long as it watches it, so the number cannot be given to somebody else while
/// events for it may still be on their way.
/// </summary>
internal sealed class DescriptorHandle : SafeHandleMinusOneIsInvalid
{
    internal DescriptorHandle(int descriptor, bool ownsHandle = true) : base(ownsHandle) => SetHandle(descriptor);

    internal int Number => (int)handle;

    // EINTR from close(2) still closes on Linux, so there is nothing to try again.
    protected override bool ReleaseHandle() => LibC.Close((int)handle).IsOk;
}
