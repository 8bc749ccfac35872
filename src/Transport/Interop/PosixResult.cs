using System.ComponentModel;
using System.Runtime.InteropServices;

namespace LoopBridge.Interop;

/// <summary>What a system call answered: a value of zero or more, or an <see cref="Errno"/>. The one place where errno is read.</summary>
internal readonly struct PosixResult
{
    private readonly int _value;

    private PosixResult(int value) => _value = value;

    /// <summary>Reads errno in the same expression that made the call, before anything else can overwrite it.</summary>
    internal static PosixResult Of(nint returned)
        => new(returned >= 0 ? (int)returned : -Marshal.GetLastPInvokeError());

    /// <summary>For the calls that return the error itself, as posix_spawn(3) and its family do.</summary>
    internal static PosixResult OfError(int error) => new(-error);

    internal bool IsOk => _value >= 0;

    internal int Value => _value;

    internal Errno Error => _value >= 0 ? Errno.None : (Errno)(-_value);

    /// <summary>For calls that fail only when this process has a bug or is out of resources at start.</summary>
    internal int OrThrow(string call)
        => _value >= 0 ? _value : throw new IOException($"{call} failed: {Error}.", new Win32Exception(-_value));
}
