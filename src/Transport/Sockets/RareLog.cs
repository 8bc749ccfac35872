namespace LoopBridge.Sockets;

/// <summary>Keeps a line that would come again and again to one in each interval. One thread.</summary>
internal struct RareLog(TimeSpan interval)
{
    private TimeSpan? _last;

    /// <summary>Whether it is time for the line; if so the next interval begins.</summary>
    internal bool MayLog(TimeSpan now)
    {
        if (_last is { } last && now - last < interval)
        {
            return false;
        }

        _last = now;
        return true;
    }
}
