using System.Buffers.Text;

namespace LoopBridge.Loops;

/// <summary>Whether the machine has a processor to spare, by the times that proc_stat(5) counts. Linux; elsewhere it never has. One thread.</summary>
/// <remarks>
/// A container that may use less than the machine has sees the machine's times: it is then offered a processor that it will not get, and
/// what is moved there runs no slower than before.
/// </remarks>
internal sealed class IdleProcessors : IDisposable
{
    /// <summary>So much of a processor must have been idle since the last question. Less may be the pauses of those who use it.</summary>
    internal const double Spare = 0.6;

    private const int IdleField = 3;
    private const int Fields = 8; // user, nice, system, idle, iowait, irq, softirq, steal: the guests' times behind them are in these

    private readonly Func<Span<byte>, int>? _read;
    private readonly int _processors;
    private readonly FileStream? _file;
    private long _idle;
    private long _total;

    internal IdleProcessors()
    {
        if (OperatingSystem.IsLinux() && File.Exists("/proc/stat"))
        {
            _file = new FileStream("/proc/stat", FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            _read = buffer => RandomAccess.Read(_file.SafeFileHandle, buffer, 0);
        }

        _processors = Environment.ProcessorCount;
    }

    /// <param name="read">Gives the first bytes of the file.</param>
    /// <param name="processors">Those whose times it adds up.</param>
    internal IdleProcessors(Func<Span<byte>, int> read, int processors)
    {
        _read = read;
        _processors = processors;
    }

    /// <summary>Whether the system tells.</summary>
    internal bool IsKnown => _read is not null && TryReadTimes(out _, out _);

    /// <summary>
    /// Whether at least <see cref="Spare"/> of a processor was idle since the last question. False the first time. Some 10 ms must lie
    /// between two questions: the times are counted in such steps.
    /// </summary>
    internal bool HasSpare()
    {
        if (_read is null || !TryReadTimes(out long idle, out long total))
        {
            return false;
        }

        bool isFirst = _total == 0;
        (long wasIdle, long wasTotal) = (_idle, _total);
        (_idle, _total) = (idle, total);
        return !isFirst && total > wasTotal && (double)(idle - wasIdle) / (total - wasTotal) * _processors >= Spare;
    }

    public void Dispose() => _file?.Dispose();

    private bool TryReadTimes(out long idle, out long total)
    {
        Span<byte> buffer = stackalloc byte[256];
        ReadOnlySpan<byte> line = buffer[.._read!(buffer)];
        (idle, total) = (0, 0);
        if (!line.StartsWith("cpu "u8))
        {
            return false;
        }

        line = line[4..];
        for (int field = 0; field < Fields; field++)
        {
            line = line.TrimStart((byte)' ');
            if (!Utf8Parser.TryParse(line, out long ticks, out int length))
            {
                return false;
            }

            total += ticks;
            idle += field == IdleField ? ticks : 0;
            line = line[length..];
        }

        return true;
    }
}
