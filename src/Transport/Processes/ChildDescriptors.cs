using System.Globalization;
using System.Runtime.InteropServices;
using LoopBridge.Interop;

namespace LoopBridge.Processes;

/// <summary>
/// The descriptor table of a child: number in the child → descriptor of this process. What is not in it is closed in the child. Linux.
/// </summary>
/// <remarks>
/// Each descriptor is duplicated first to a number above all of the child's, and from there down to its own: so no step of the child can
/// overwrite what a later one needs, whatever the permutation, and none keeps a number and with it its close-on-exec flag.
/// </remarks>
internal sealed class ChildDescriptors : IDisposable
{
    private readonly SortedDictionary<int, SafeHandle?> _table = [];
    private readonly List<DescriptorHandle> _copies = [];

    /// <summary>Do as with a C library that knows no close of all the rest. Defaults to false.</summary>
    internal bool CloseOneByOne { get; init; }

    /// <summary>Gives the child a copy. The handle stays the caller's.</summary>
    internal void Give(int number, SafeHandle handle) => _table.Add(number, handle);

    /// <summary>Leaves the number to the child as it is here.</summary>
    internal void Inherit(int number) => _table.Add(number, null);

    /// <summary>Writes the table down as steps of the child; the copies live until this object is disposed of.</summary>
    internal void WriteTo(LibC.SpawnActions actions)
    {
        int above = _table.Count == 0 ? 0 : _table.Keys.Max() + 1;
        foreach ((int number, SafeHandle? handle) in _table)
        {
            if (handle is not null)
            {
                actions.Duplicate(Copy(handle, above), number);
            }
        }

        for (int number = 0; number < above; number++)
        {
            if (!_table.ContainsKey(number))
            {
                actions.Close(number);
            }
        }

        if (CloseOneByOne || !actions.TryCloseFrom(above))
        {
            CloseInheritable(actions, above);
        }
    }

    public void Dispose()
    {
        foreach (DescriptorHandle copy in _copies)
        {
            copy.Dispose();
        }

        _copies.Clear();
    }

    private int Copy(SafeHandle handle, int lowest)
    {
        bool referenced = false;
        try
        {
            handle.DangerousAddRef(ref referenced);
            int copy = LibC.Duplicate((int)handle.DangerousGetHandle(), lowest).OrThrow("fcntl(F_DUPFD_CLOEXEC)");
            _copies.Add(new DescriptorHandle(copy));
            return copy;
        }
        finally
        {
            if (referenced)
            {
                handle.DangerousRelease();
            }
        }
    }

    // Ours and .NET's are close-on-exec; these are what other libraries opened, or what this process was started with.
    private static void CloseInheritable(LibC.SpawnActions actions, int lowest)
    {
        foreach (string entry in Directory.EnumerateFileSystemEntries("/proc/self/fd"))
        {
            int number = int.Parse(Path.GetFileName(entry), CultureInfo.InvariantCulture);
            if (number >= lowest && LibC.IsInheritable(number, out bool inheritable).IsOk && inheritable)
            {
                actions.Close(number);
            }
        }
    }
}
