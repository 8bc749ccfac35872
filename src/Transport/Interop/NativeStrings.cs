using System.Runtime.InteropServices;
using System.Text;

namespace LoopBridge.Interop;

/// <summary>
/// Strings as the kernel takes them: UTF-8, each ended by a zero byte, and the list of them by a null pointer, execve(2).
/// </summary>
internal sealed unsafe class NativeStrings : IDisposable
{
    private byte** _list;

    internal NativeStrings(IReadOnlyList<string> strings)
    {
        nuint listSize = (nuint)((strings.Count + 1) * sizeof(byte*));
        nuint size = listSize;
        foreach (string text in strings)
        {
            size += (nuint)Encoding.UTF8.GetByteCount(text) + 1;
        }

        _list = (byte**)NativeMemory.Alloc(size);
        byte* next = (byte*)_list + listSize;
        for (int i = 0; i < strings.Count; i++)
        {
            _list[i] = next;
            int length = Encoding.UTF8.GetBytes(strings[i], new Span<byte>(next, Encoding.UTF8.GetByteCount(strings[i])));
            next[length] = 0;
            next += length + 1;
        }

        _list[strings.Count] = null;
    }

    internal byte** List => _list;

    /// <summary>The first string.</summary>
    internal byte* First => _list[0];

    public void Dispose()
    {
        NativeMemory.Free(_list);
        _list = null;
    }
}
