using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;

namespace LoopBridge.Deferreds;

/// <summary>What a <see cref="Deferred{T}"/> holds at one point of its chain: a value or a failure.</summary>
/// <remarks>A handler that takes both (<c>AddBoth</c>) receives one, and may return one: a failure is then returned, not
/// thrown.</remarks>
/// <typeparam name="T">The type of the value.</typeparam>
[SuppressMessage("Performance", "CA1815:Override equals and operator equals on value types",
    Justification = "Two failures are never equal in a way a caller could use.")]
public readonly struct DeferredResult<T>
{
    private readonly T _value;

    internal DeferredResult(T value) => _value = value;

    internal DeferredResult(ExceptionDispatchInfo failure)
    {
        _value = default!;
        Failure = failure;
    }

    /// <summary>The failure with the stack it had when it entered the chain; throwing it goes on with that stack (R-DEF-30).</summary>
    internal ExceptionDispatchInfo? Failure { get; }

    /// <summary>Whether this is a value; otherwise it is a failure.</summary>
    [MemberNotNullWhen(false, nameof(Error))]
    public bool IsSuccess => Failure is null;

    /// <summary>The exception of a failure; null for a value.</summary>
    public Exception? Error => Failure?.SourceException;

    /// <summary>The value. For a failure, getting it throws the original exception with its original stack.</summary>
    public T Value
    {
        get
        {
            Failure?.Throw();
            return _value;
        }
    }

    /// <summary>The value, without a look at the failure; default for one.</summary>
    internal T ValueOrDefault => _value;
}

/// <summary>Makes <see cref="DeferredResult{T}"/>s.</summary>
public static class DeferredResult
{
    /// <summary>Makes the result of a success.</summary>
    /// <typeparam name="T">The type of the value.</typeparam>
    /// <param name="value">The value.</param>
    /// <returns>A result for which <see cref="DeferredResult{T}.IsSuccess"/> is true.</returns>
    public static DeferredResult<T> Success<T>(T value) => new(value);

    /// <summary>Makes the result of a failure.</summary>
    /// <typeparam name="T">The type of the value that is missing.</typeparam>
    /// <param name="error">The exception; its stack, if it has been thrown, is kept.</param>
    /// <returns>A result for which <see cref="DeferredResult{T}.IsSuccess"/> is false.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="error"/> is null.</exception>
    public static DeferredResult<T> Failure<T>(Exception error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return new(ExceptionDispatchInfo.Capture(error));
    }
}
