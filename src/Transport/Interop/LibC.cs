namespace LoopBridge.Interop;

/// <summary>
/// The C library's calls, one partial file for each family (section 2 of the Linux manual). Every call returns a <see cref="PosixResult"/>,
/// which its caller checks or explicitly discards. Descriptors are plain numbers here: the holder of the <see cref="DescriptorHandle"/>
/// keeps them alive.
/// </summary>
internal static unsafe partial class LibC
{
    private const string Library = "libc";
}
