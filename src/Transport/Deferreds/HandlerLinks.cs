namespace LoopBridge.Deferreds;

/// <summary>A pair of handlers; a missing side leaves the result as it is (R-DEF-02).</summary>
internal sealed class HandlerLink<T>(Func<T, T>? callback, Func<Exception, T>? errback) : Link<T>
{
    public override Deferred? Run(Deferred<T> owner)
    {
        if (owner.Failure is { } failure)
        {
            if (errback is not null)
                owner.SetOrAdopt(errback(failure.SourceException));
        }
        else if (callback is not null)
        {
            owner.SetOrAdopt(callback(owner.Value));
        }

        return null;
    }
}

/// <summary>A pair of handlers that answer with a Deferred, whose result the chain waits for (R-DEF-06).</summary>
internal sealed class DeferringHandlerLink<T>(Func<T, Deferred<T>>? callback, Func<Exception, Deferred<T>>? errback) : Link<T>
{
    public override Deferred? Run(Deferred<T> owner)
    {
        if (owner.Failure is { } failure)
        {
            if (errback is not null)
                owner.Adopt(errback(failure.SourceException));
        }
        else if (callback is not null)
        {
            owner.Adopt(callback(owner.Value));
        }

        return null;
    }
}

/// <summary>An error handler for one family of exceptions; others pass.</summary>
internal sealed class TrappingLink<T, TException>(Func<TException, T> errback) : Link<T>
    where TException : Exception
{
    public override Deferred? Run(Deferred<T> owner)
    {
        if (owner.Failure?.SourceException is TException trapped)
            owner.SetOrAdopt(errback(trapped));

        return null;
    }
}

/// <summary>Looks at a value and leaves it in place.</summary>
internal sealed class TapLink<T>(Action<T> callback) : Link<T>
{
    public override Deferred? Run(Deferred<T> owner)
    {
        if (owner.Failure is null)
            callback(owner.Value);

        return null;
    }
}

/// <summary>Looks at the outcome, whichever it is, and leaves it in place.</summary>
internal sealed class TapBothLink<T>(Action<DeferredResult<T>> handler) : Link<T>
{
    public override Deferred? Run(Deferred<T> owner)
    {
        handler(owner.Result);
        return null;
    }
}

/// <summary>Replaces the outcome, whichever it is.</summary>
internal sealed class BothLink<T>(Func<DeferredResult<T>, DeferredResult<T>> handler) : Link<T>
{
    public override Deferred? Run(Deferred<T> owner)
    {
        owner.Result = handler(owner.Result);
        return null;
    }
}

/// <summary>Replaces the outcome, whichever it is, by that of a Deferred.</summary>
internal sealed class DeferringBothLink<T>(Func<DeferredResult<T>, Deferred<T>> handler) : Link<T>
{
    public override Deferred? Run(Deferred<T> owner)
    {
        owner.Adopt(handler(owner.Result));
        return null;
    }
}
