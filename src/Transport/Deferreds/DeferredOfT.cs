using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace LoopBridge.Deferreds;

/// <summary>
/// A result of type <typeparamref name="T"/> that will come, with a chain of handlers that will work on it. Twisted: <c>Deferred</c>.
/// </summary>
/// <remarks>
/// <para><b>One chain.</b> Handlers run in the order added; each receives the result of the one before, and its own return value is the
/// next result. A handler that throws makes the result a failure, which goes to the next error handler; an error handler that returns
/// makes it a value again. A handler that returns a Deferred or a Task makes the chain wait for it. All this happens in the turn and on
/// the stack of the firing; a handler that adds another one returns first.</para>
/// <para><b>Types.</b> <c>AddCallback</c>, <c>AddErrback</c>, <c>AddCallbacks</c> and <c>AddBoth</c> keep the type and return this
/// Deferred. <c>Then</c> changes it: it takes the result over and returns the Deferred on which the chain goes on, so handlers
/// added to <em>this</em> one afterwards see <see langword="default"/>. Cancelling the later one cancels this one.</para>
/// <para><b>Awaiting</b> gives the result at that point of the chain and leaves it there: any number of awaits see it. The awaiting
/// method goes on inside the firing. An <see langword="async"/> method may return a <c>Deferred&lt;T&gt;</c>.</para>
/// <para><b>Thread.</b> Everything happens on the thread of the loop that the Deferred belongs to; see <see cref="Deferred"/>.</para>
/// </remarks>
/// <typeparam name="T">The type of the result; <see cref="Unit"/> if it only says "done".</typeparam>
/// <example>
/// <code>
/// Deferred&lt;int&gt; length = Fetch(url)             // Deferred&lt;string&gt;
///     .AddErrback&lt;TimeoutException&gt;(_ =&gt; "")
///     .Then(text =&gt; text.Length);
/// int n = await length;
/// </code>
/// </example>
[AsyncMethodBuilder(typeof(DeferredMethodBuilder<>))]
public sealed partial class Deferred<T> : Deferred
{
    private Link<T>? _first;
    private Link<T>? _last;
    private Action<Deferred<T>>? _canceller;
    private UnhandledFailureGuard? _guard;
    private ExceptionDispatchInfo? _failure;
    private T _value = default!;
    private bool _cancelsUpstream;

    /// <summary>Makes a Deferred that has not been fired.</summary>
    /// <param name="canceller">
    /// Stops the operation when the Deferred is cancelled. Called at most once, and released when the Deferred fires. It may fire the
    /// Deferred it is given; if it does not, the Deferred fails as cancelled, and the producer must not fire it any more. Null:
    /// cancelling leaves the producer alone and ignores its result.
    /// </param>
    public Deferred(Action<Deferred<T>>? canceller = null) => _canceller = canceller;

    internal Deferred(DeferredResult<T> result) => Fire(result);

    /// <summary>The outcome of an operation that is asked to stop and then ends in its own way (R-DEF-29).</summary>
    internal static Deferred<T> Asking(Action<Deferred<T>> canceller) => new(canceller) { CancelOnlyAsks = true };

    internal ExceptionDispatchInfo? Failure => _failure;

    /// <summary>The stored value; default in place of a failure. Setting it ends a failure.</summary>
    internal T Value
    {
        get => _value;
        set
        {
            _value = value;
            ChangeFailure(null);
        }
    }

    internal DeferredResult<T> Result
    {
        get => _failure is null ? new(_value) : new(_failure);
        set
        {
            _value = value.ValueOrDefault;
            ChangeFailure(value.Failure);
        }
    }

    private protected override bool HasLinks => _first is not null;

    private protected override bool CancelsUpstream => _cancelsUpstream;

    private protected override string TypeName => $"Deferred<{typeof(T).Name}>";

    /// <summary>Fires with a value. Handlers run inside this call.</summary>
    /// <param name="value">The value that the first handler receives.</param>
    /// <exception cref="ArgumentException"><paramref name="value"/> is itself a Deferred; chain it instead.</exception>
    /// <exception cref="AlreadyCalledException">
    /// It has been fired before. One firing after a cancellation is ignored if there was no canceller to stop the producer.
    /// </exception>
    public void Callback(T value)
    {
        if (value is Deferred)
            throw new ArgumentException("A Deferred cannot be the value of another; use ChainDeferred.", nameof(value));
        Fire(new(value));
    }

    internal void Fire(DeferredResult<T> result)
    {
        if (!BeginFiring())
            return;

        Result = result;
        RunChain();
    }

    /// <summary>Takes the result of <paramref name="giver"/>, which is left with <see langword="default"/> (R-DEF-06).</summary>
    internal void TakeOver(Deferred<T> giver)
    {
        Upstream = null;
        Result = giver.Result;
        giver.Value = default!;
    }

    /// <summary>Goes on with the result of <paramref name="inner"/>, now or when it comes.</summary>
    internal void Adopt(Deferred<T>? inner)
    {
        if (inner is null)
            throw ReturnedNull();
        if (IsAwaitedBy(inner))
            throw Circular();

        if (inner.HasResult)
        {
            TakeOver(inner);
            return;
        }

        Value = default!;
        WaitFor(inner, cancels: true);
        inner.AddLink(new ContinueLink<T>(this));
    }

    /// <summary>As <see cref="Adopt"/>, where no handler of this Deferred is running that could throw.</summary>
    internal void AdoptOrFail(Deferred<T> inner)
    {
        if (IsAwaitedBy(inner))
            StoreFailure(Circular());
        else
            Adopt(inner);
    }

    /// <summary>Stores what a handler returned. Only a T that says nothing (object) can hide a result that is still to come.</summary>
    internal void SetOrAdopt(T value)
    {
        if (IsPending(value, out Deferred<T>? inner))
            Adopt(inner);
        else
            Value = value;
    }

    /// <summary>What a handler of another Deferred returned for this one: a result, or the Deferred to wait for.</summary>
    internal static DeferredResult<T> Checked(T value, out Deferred<T>? inner) => IsPending(value, out inner) ? default : new(value);

    /// <summary>Notes for whom this one waits, and whether a cancellation of this one is meant for that one.</summary>
    internal void WaitFor(Deferred? upstream, bool cancels)
    {
        Upstream = upstream;
        _cancelsUpstream = cancels;
    }

    /// <summary>As <see cref="WaitFor"/>, for the outcome of an async method: a cancellation is for what it awaits.</summary>
    internal void SuspendOn(Deferred? awaited)
    {
        _cancelsUpstream = true;
        Suspend(awaited);
    }

    /// <summary>The result for an awaiter; a failure counts as handled from then on.</summary>
    internal T Observe()
    {
        if (!IsSettled)
            throw new InvalidOperationException("This Deferred has no result yet, and a loop thread cannot wait for it: await it.");
        if (_failure is null)
            return _value;

        MarkObserved();
        _failure.Throw();
        return default;
    }

    internal void MarkObserved()
    {
        IsObserved = true;
        DisarmGuard();
    }

    internal Deferred<T> AddLink(Link<T> link)
    {
        if (_last is null)
            _first = link;
        else
            _last.Following = link;
        _last = link;

        if (IsFired)
            RunChain();
        return this;
    }

    private protected override Deferred? RunLinks()
    {
        while (IsSettled && !IsRunning && TakeLink() is { } link)
        {
            IsRunning = true;
            try
            {
                if (link.Run(this) is { } taker)
                    return taker;
            }
            catch (Exception exception)
            {
                // Whatever a handler throws is the chain's next result (R-DEF-03); if nobody handles it, the guard reports it.
                StoreFailure(exception);
            }
            finally
            {
                IsRunning = false;
            }
        }

        // A paused chain counts as ended: if it is collected like that, nobody handled the failure either.
        if (_failure is not null && _guard is null && !IsObserved && !IsRunning && Upstream is null)
            _guard = new UnhandledFailureGuard(_failure.SourceException);
        return null;
    }

    private protected override void StoreFailure(Exception error)
    {
        _value = default!;

        // A handler that throws the failure it was given passes it on; the stack captured first is the true one (R-DEF-30).
        if (_failure?.SourceException != error)
            ChangeFailure(ExceptionDispatchInfo.Capture(error));
    }

    private protected override void ReleaseCanceller()
    {
        _canceller = null;
        _cancelsUpstream = false;
    }

    private protected override bool TryCallCanceller()
    {
        if (_canceller is not { } canceller)
            return false;

        // Who only asks may ask again: what was asked may have survived the first time.
        if (!CancelOnlyAsks)
            _canceller = null;
        canceller(this);
        return true;
    }

    private protected override string Describe()
        => _failure is null ? $"result {_value?.ToString() ?? "null"}"
            : $"failed with {_failure.SourceException.GetType().Name}: {_failure.SourceException.Message}";

    private static bool IsPending(T value, [NotNullWhen(true)] out Deferred<T>? inner)
    {
        inner = null;
        if (typeof(T).IsValueType || value is not (Deferred or Task))
            return false;

        inner = value switch
        {
            Deferred<T> deferred => deferred,
            Task<T> task => FromTask(task),
            _ => throw new InvalidOperationException(
                $"A handler returned a {value.GetType()} as a value, and the chain can wait only for a Deferred or Task of {typeof(T)}."),
        };
        return true;
    }

    private Link<T>? TakeLink()
    {
        Link<T>? link = _first;
        if (link is null)
            return null;

        _first = link.Following;
        if (_first is null)
            _last = null;
        return link;
    }

    private void ChangeFailure(ExceptionDispatchInfo? failure)
    {
        if (ReferenceEquals(failure, _failure))
            return;

        _failure = failure;
        IsObserved = false;
        DisarmGuard();
    }

    private void DisarmGuard()
    {
        _guard?.Disarm();
        _guard = null;
    }
}
