namespace LoopBridge.Deferreds;

/// <summary>
/// Several Deferreds of which one outcome is made. The derived class says which results end the wait, and calls <see cref="Watch"/> when
/// it is ready for them.
/// </summary>
internal abstract class DeferredInputs<T, TOutcome>
{
    private readonly Deferred<T>[] _inputs;

    protected DeferredInputs(IEnumerable<Deferred<T>> inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs, "deferreds");
        _inputs = [.. inputs];
        foreach (Deferred<T> input in _inputs)
            ArgumentNullException.ThrowIfNull(input, "deferreds");

        Results = new DeferredResult<T>?[_inputs.Length];
        Missing = _inputs.Length;

        // Only asks: the outcome is made of what the inputs do when they are cancelled (R-DEF-21).
        Outcome = Deferred<TOutcome>.Asking(_ => CancelInputs());
    }

    public Deferred<TOutcome> Outcome { get; }

    /// <summary>What has come, in the order of the inputs.</summary>
    protected DeferredResult<T>?[] Results { get; }

    /// <summary>How many have not come.</summary>
    protected int Missing { get; private set; }

    /// <summary>A result has come, and is among the <see cref="Results"/>. Not called when the outcome has been fired.</summary>
    protected abstract void OnResult(int index, DeferredResult<T> result);

    /// <summary>Whether the input's handlers go on with default in place of the result.</summary>
    protected abstract bool TakesOver(DeferredResult<T> result);

    /// <summary>For the end of the constructor. Inputs that have fired give their results now.</summary>
    protected void Watch()
    {
        for (int i = 0; i < _inputs.Length; i++)
            _inputs[i].AddLink(new InputLink<T, TOutcome>(this, i));
    }

    protected void CancelInputs()
    {
        for (int i = 0; i < _inputs.Length; i++)
        {
            // What an input does after its result came is no business of this list any more.
            if (Results[i] is not null)
                continue;

            try
            {
                _inputs[i].Cancel();
            }
            catch (Exception exception)
            {
                // A canceller is user code: told once, and the others are cancelled all the same.
                Deferred.ReportUnhandled(exception);
            }
        }
    }

    protected void ThrowIfNone()
    {
        if (_inputs.Length == 0)
            throw new ArgumentException("Of no Deferreds, none can be the first; the wait would never end.");
    }

    protected void FailWithAll()
        => Outcome.Errback(new AggregateException(Results.Select(result => result!.Value.Error!)));

    /// <summary>True if the result is taken over.</summary>
    internal bool Receive(int index, DeferredResult<T> result)
    {
        Results[index] = result;
        Missing--;
        if (!Outcome.IsFired)
            OnResult(index, result);
        return TakesOver(result);
    }
}

/// <summary>Brings the result of one input to those who wait for several.</summary>
internal sealed class InputLink<T, TOutcome>(DeferredInputs<T, TOutcome> inputs, int index) : Link<T>
{
    public override Deferred? Run(Deferred<T> owner)
    {
        if (inputs.Receive(index, owner.Result))
            owner.Value = default!;
        return null;
    }
}
