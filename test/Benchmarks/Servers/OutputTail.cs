namespace LoopBridge.Benchmarks.Servers;

/// <summary>The last lines a server printed: enough to explain a failure, however long it ran and whatever it logged.</summary>
internal sealed class OutputTail
{
    private const int MaxLines = 40;

    private readonly Queue<string> _lines = new();

    /// <summary>Called by the process's reader threads; null is the end of a stream.</summary>
    public void Add(string? line)
    {
        if (line is null)
            return;

        lock (_lines)
        {
            if (_lines.Count == MaxLines)
                _lines.Dequeue();
            _lines.Enqueue(line);
        }
    }

    public override string ToString()
    {
        lock (_lines)
            return string.Join('\n', _lines);
    }
}
