using LoopBridge.Loops;

namespace LoopBridge.Streams;

/// <remarks>A read until a regex that has to rest goes on by a timeout, because nothing else may come that would make it.</remarks>
public sealed partial class LoopStream
{
    private LoopTimeout? _searchTimer;
    private bool _searchIsDue;

    private void SearchLater()
    {
        if (_searchTimer is null && _request.Search?.Rest is { } rest)
        {
            _searchTimer = Loop.CallLater(rest, static state => ((LoopStream)state!).OnSearchDue(), this);
        }
    }

    private void OnSearchDue()
    {
        _searchTimer = null;
        _searchIsDue = true;
        _sink.Request();
    }

    private void CancelSearch()
    {
        _searchIsDue = false;
        if (_searchTimer is not null)
        {
            Loop.RemoveTimeout(_searchTimer);
            _searchTimer = null;
        }
    }
}
