namespace LoopBridge.Deferreds;

/// <summary>All results, whichever they are (R-DEF-19).</summary>
internal sealed class AllInputs<T> : DeferredInputs<T, IReadOnlyList<DeferredResult<T>>>
{
    private readonly bool _consumeErrors;

    public AllInputs(IEnumerable<Deferred<T>> inputs, bool consumeErrors) : base(inputs)
    {
        _consumeErrors = consumeErrors;
        if (Missing == 0)
            Outcome.Callback([]);
        Watch();
    }

    protected override bool TakesOver(DeferredResult<T> result) => _consumeErrors && !result.IsSuccess;

    protected override void OnResult(int index, DeferredResult<T> result)
    {
        if (Missing == 0)
            Outcome.Callback([.. Results.Select(each => each!.Value)]);
    }
}

/// <summary>All values, or the first failure (R-DEF-22).</summary>
internal sealed class GatherInputs<T> : DeferredInputs<T, IReadOnlyList<T>>
{
    private readonly bool _consumeErrors;

    public GatherInputs(IEnumerable<Deferred<T>> inputs, bool consumeErrors) : base(inputs)
    {
        _consumeErrors = consumeErrors;
        if (Missing == 0)
            Outcome.Callback([]);
        Watch();
    }

    protected override bool TakesOver(DeferredResult<T> result) => _consumeErrors && !result.IsSuccess;

    protected override void OnResult(int index, DeferredResult<T> result)
    {
        if (!result.IsSuccess)
            Outcome.Errback(new FirstErrorException(index, result.Error));
        else if (Missing == 0)
            Outcome.Callback([.. Results.Select(each => each!.Value.Value)]);
    }
}

/// <summary>The first value (R-DEF-20).</summary>
internal sealed class FirstInput<T> : DeferredInputs<T, IndexedValue<T>>
{
    private readonly bool _failFast;
    private readonly bool _consumeErrors;

    public FirstInput(IEnumerable<Deferred<T>> inputs, bool failFast, bool consumeErrors) : base(inputs)
    {
        _failFast = failFast;
        _consumeErrors = consumeErrors;
        ThrowIfNone();
        Watch();
    }

    protected override bool TakesOver(DeferredResult<T> result) => _consumeErrors && !result.IsSuccess;

    protected override void OnResult(int index, DeferredResult<T> result)
    {
        if (result.IsSuccess)
            Outcome.Callback(new IndexedValue<T>(index, result.Value));
        else if (_failFast)
            Outcome.Errback(new FirstErrorException(index, result.Error));
        else if (Missing == 0)
            FailWithAll();
    }
}

/// <summary>The first value, and an end to the others (R-DEF-23).</summary>
internal sealed class RacingInputs<T> : DeferredInputs<T, IndexedValue<T>>
{
    private bool _isWon;

    public RacingInputs(IEnumerable<Deferred<T>> inputs) : base(inputs)
    {
        ThrowIfNone();
        Watch();
    }

    protected override bool TakesOver(DeferredResult<T> result) => true;

    protected override void OnResult(int index, DeferredResult<T> result)
    {
        // A loser's canceller may fire it with a value before the outcome is fired.
        if (_isWon)
            return;

        if (result.IsSuccess)
        {
            _isWon = true;
            CancelInputs();
            Outcome.Callback(new IndexedValue<T>(index, result.Value));
        }
        else if (Missing == 0)
        {
            FailWithAll();
        }
    }
}
