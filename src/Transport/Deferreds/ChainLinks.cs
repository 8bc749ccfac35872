using System.Runtime.ExceptionServices;

namespace LoopBridge.Deferreds;

/// <summary>Gives the result to the Deferred that waits for it because one of its handlers returned the owner (R-DEF-06).</summary>
internal sealed class ContinueLink<T>(Deferred<T> waiting) : Link<T>
{
    public override Deferred? Run(Deferred<T> owner)
    {
        waiting.TakeOver(owner);
        return waiting;
    }
}

/// <summary>Fires another Deferred with the result (R-DEF-10).</summary>
internal sealed class ForwardLink<T>(Deferred<T> next) : Link<T>
{
    public override Deferred? Run(Deferred<T> owner)
    {
        if (!next.BeginFiring())
        {
            // `next` was cancelled and absorbs this firing: the result is taken over all the same.
            owner.Value = default!;
            return null;
        }

        next.TakeOver(owner);
        return next;
    }
}

/// <summary>Turns the result into one of another type and fires the typed continuation of the chain with it.</summary>
internal abstract class ThenLink<T, TNext>(Deferred<TNext> next) : Link<T>
{
    public sealed override Deferred? Run(Deferred<T> owner)
    {
        // Not caught here: a `next` that the user fired by hand is a mistake in this chain, and its failure belongs here.
        DeferredResult<T> result = owner.Result;
        owner.Value = default!;
        ExceptionDispatchInfo? thrown = null;
        Deferred<TNext>? inner = null;
        DeferredResult<TNext> mapped = default;
        try
        {
            mapped = Map(result, out inner);
            if (ReferenceEquals(inner, owner))
                throw Deferred.Circular();
        }
        catch (Exception exception)
        {
            // A handler's exception is the chain's next result; the same exception thrown on keeps its first stack.
            thrown = result.Failure?.SourceException == exception ? result.Failure : ExceptionDispatchInfo.Capture(exception);
        }

        if (!next.BeginFiring())
            return null;

        if (thrown is not null)
            next.Result = new(thrown);
        else if (inner is not null)
            next.AdoptOrFail(inner);
        else
            next.Result = mapped;

        return next;
    }

    /// <summary>The result for the next type, or the Deferred to wait for.</summary>
    protected abstract DeferredResult<TNext> Map(DeferredResult<T> result, out Deferred<TNext>? inner);
}

/// <summary>A typed step by plain functions.</summary>
internal sealed class MappingLink<T, TNext>(Deferred<TNext> next, Func<T, TNext> callback, Func<Exception, TNext>? errback)
    : ThenLink<T, TNext>(next)
{
    protected override DeferredResult<TNext> Map(DeferredResult<T> result, out Deferred<TNext>? inner)
    {
        inner = null;
        if (result.Failure is null)
            return Deferred<TNext>.Checked(callback(result.ValueOrDefault), out inner);
        if (errback is null)
            return new(result.Failure);

        return Deferred<TNext>.Checked(errback(result.Failure.SourceException), out inner);
    }
}

/// <summary>A typed step by functions that answer with a Deferred.</summary>
internal sealed class DeferringMappingLink<T, TNext>(
    Deferred<TNext> next, Func<T, Deferred<TNext>> callback, Func<Exception, Deferred<TNext>>? errback)
    : ThenLink<T, TNext>(next)
{
    protected override DeferredResult<TNext> Map(DeferredResult<T> result, out Deferred<TNext>? inner)
    {
        inner = null;
        if (result.Failure is not null && errback is null)
            return new(result.Failure);

        inner = result.Failure is null ? callback(result.ValueOrDefault) : errback!(result.Failure.SourceException);
        return inner is null ? throw Deferred.ReturnedNull() : default;
    }
}
