using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace LoopBridge.Resolvers;

/// <summary>
/// Asks the operating system (<c>getaddrinfo</c>) on threads of its own, so that names mean here what they mean to every other program of
/// the machine: hosts file, name service modules, search list and all.
/// </summary>
/// <remarks>
/// <para>
/// Callers never wait longer than <see cref="ResolverOptions.Timeout"/> and are released at once when they cancel, though the system's
/// lookup itself cannot be stopped: it goes on, its thread is taken until it ends, and its answer is dropped. A later call for the same
/// name starts afresh, so that it sees a repaired configuration. Calls for the same name and family at the same time share one lookup.
/// </para>
/// <para>
/// Addresses come in the system's order (RFC 6724); <see cref="NameResolution.Ttl"/> is null. All resolvers of this kind in a process share
/// their threads. Members may be called from any thread, also while the type of a caller is being initialised.
/// </para>
/// </remarks>
public sealed class ThreadedResolver : INameResolver, IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<LookupKey, Lookup> _inFlight = [];
    private readonly LookupThreads _threads;
    private readonly SystemLookup _lookUp;
    private readonly TimeSpan _timeout;
    private readonly int _maxWaiting;
    private readonly ILogger _logger;
    private readonly ResolverMetrics _metrics;
    private int _waiting;
    private bool _busyTold;
    private volatile bool _disposed;

    /// <summary>Makes a resolver. It starts no thread before the first lookup.</summary>
    /// <param name="options">Its settings; read now and not again.</param>
    /// <param name="logger">Where lookups (at Debug) and refusals are logged, or null for nowhere.</param>
    /// <param name="meterFactory">Makes the meter <c>LoopBridge.Resolver</c>; without one it is one that the whole process shares.</param>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    /// <exception cref="OptionsValidationException">A setting is out of its range.</exception>
    public ThreadedResolver(
        IOptions<ResolverOptions> options,
        ILogger<ThreadedResolver>? logger = null,
        IMeterFactory? meterFactory = null)
        : this(Checked(options), OperatingSystemLookup.LookUp, null, logger, meterFactory)
    {
    }

    /// <summary>With any blocking function in the system's place, and threads that need not be the process's.</summary>
    internal ThreadedResolver(
        ResolverOptions options,
        SystemLookup lookUp,
        LookupThreads? threads,
        ILogger? logger = null,
        IMeterFactory? meterFactory = null)
    {
        options.Validate();
        _timeout = options.Timeout;
        _maxWaiting = options.MaxWaitingCallers;
        _lookUp = lookUp;
        _logger = logger ?? NullLogger.Instance;
        _metrics = new ResolverMetrics("threaded", meterFactory);
        _threads = threads ?? LookupThreads.Rent(options.MaxThreads, options.ThreadIdleTimeout);
        if (threads is null && _threads.MaxThreads != options.MaxThreads)
            ResolverLog.ThreadsSharedWithOthers(_logger, _threads.MaxThreads, options.MaxThreads);
    }

    internal LookupThreads Threads => _threads;

    /// <inheritdoc/>
    /// <remarks>
    /// A cancelled call ends at once, with the token; so does one for which <see cref="ResolverOptions.MaxWaitingCallers"/> leaves no room,
    /// with <see cref="NameResolutionFailure.Busy"/>. Nothing here blocks the calling thread.
    /// </remarks>
    public ValueTask<NameResolution> ResolveAsync(
        string host,
        int port,
        AddressFamily family = AddressFamily.Unspecified,
        CancellationToken cancellationToken = default)
    {
        LocalAnswer.CheckArguments(host, port, family);
        ObjectDisposedException.ThrowIf(_disposed, this);
        return AnswerAsync(host, port, family, cancellationToken);
    }

    /// <summary>
    /// Ends every call that waits with <see cref="ObjectDisposedException"/>, and the threads with the last resolver that uses them. Waits
    /// for nothing, least of all for the system. May be called twice, and from any thread.
    /// </summary>
    public void Dispose()
    {
        Lookup[] pending;
        lock (_gate)
        {
            if (_disposed)
                return;
            _disposed = true;
            pending = [.. _inFlight.Values];
            _inFlight.Clear();
        }

        foreach (Lookup lookup in pending)
        {
            _threads.TryRemove(lookup);
            lookup.Complete(LookupOutcome.Disposed);
        }

        _threads.Return();
    }

    /// <summary>Called by a lookup thread, which has taken it out of the line.</summary>
    internal void Run(Lookup lookup)
    {
        lock (_gate)
        {
            if (lookup.Callers == 0 || _disposed)
                return; // the last caller left while the thread was on its way here
        }

        Complete(lookup, LookUp(lookup.Key));
    }

    /// <summary>Called with a lookup that was in line, when no thread can be had for it.</summary>
    internal void Refuse(Lookup lookup) => Complete(lookup, LookupOutcome.Failed(NameResolutionFailure.Busy, isTransient: true));

    private static ResolverOptions Checked(IOptions<ResolverOptions> options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.Value;
    }

    private async ValueTask<NameResolution> AnswerAsync(string host, int port, AddressFamily family, CancellationToken cancellationToken)
    {
        long startedAt = Stopwatch.GetTimestamp();
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            NameResolution? answer = LocalAnswer.Find(host, port, family, out string name);
            if (answer is null)
            {
                LookupOutcome outcome = await WaitAsync(host, new LookupKey(name, family), cancellationToken).ConfigureAwait(false);
                answer = outcome.ToResolution(host, port, this);
            }

            _metrics.Succeeded(answer.Source, startedAt);
            if (_logger.IsEnabled(LogLevel.Debug))
                ResolverLog.Resolved(_logger, name, family, answer.EndPoints.Count, Milliseconds(startedAt));
            return answer;
        }
        catch (NameResolutionException e)
        {
            _metrics.Failed(e.Reason, startedAt);
            if (_logger.IsEnabled(LogLevel.Debug))
                ResolverLog.Failed(_logger, e.Reason, family, Milliseconds(startedAt), e.Message);
            throw;
        }
        catch (OperationCanceledException)
        {
            _metrics.Cancelled(startedAt);
            throw;
        }
    }

    private async Task<LookupOutcome> WaitAsync(string host, LookupKey key, CancellationToken cancellationToken)
    {
        Lookup lookup = Join(host, key);
        try
        {
            return await lookup.Outcome.WaitAsync(_timeout, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // The wait's, as no outcome is a failure.
            throw new NameResolutionException(NameResolutionFailure.Timeout, host, isTransient: true);
        }
        finally
        {
            Leave(lookup);
        }
    }

    private Lookup Join(string host, LookupKey key)
    {
        Lookup? lookup = null;
        bool isNew = false, tellBusy = false;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_waiting < _maxWaiting)
            {
                isNew = !_inFlight.TryGetValue(key, out lookup);
                if (isNew)
                    _inFlight.Add(key, lookup = new Lookup(this, key));
                lookup!.Callers++;
                _waiting++;
            }
            else
            {
                tellBusy = !_busyTold;
                _busyTold = true;
            }
        }

        if (tellBusy)
            ResolverLog.Busy(_logger, _maxWaiting);
        if (lookup is null)
            throw new NameResolutionException(NameResolutionFailure.Busy, host, isTransient: true);

        // Outside of the lock, as this may start a thread. Others may have joined, but this caller has not left: it is worth doing.
        if (isNew)
            _threads.Enqueue(lookup);
        return lookup;
    }

    private void Leave(Lookup lookup)
    {
        lock (_gate)
        {
            _waiting--;
            if (_waiting <= _maxWaiting / 2)
                _busyTold = false;
            if (--lookup.Callers > 0 || lookup.Outcome.IsCompleted)
                return;
            Forget(lookup);
        }

        if (!_threads.TryRemove(lookup))
            ResolverLog.Abandoned(_logger, lookup.Key.Name, lookup.Key.Family);
    }

    private void Complete(Lookup lookup, LookupOutcome outcome)
    {
        lock (_gate)
            Forget(lookup);
        lookup.Complete(outcome);
    }

    // A lookup that everybody has left may have been followed by another of the same key, which stays.
    private void Forget(Lookup lookup)
    {
        if (_inFlight.TryGetValue(lookup.Key, out Lookup? current) && ReferenceEquals(current, lookup))
            _inFlight.Remove(lookup.Key);
    }

    private LookupOutcome LookUp(LookupKey key)
    {
        try
        {
            return _lookUp(key.Name, key.Family);
        }
#pragma warning disable CA1031 // whatever it is, it must not end the process by ending this thread, nor leave callers waiting
        catch (Exception e)
#pragma warning restore CA1031
        {
            // A bug, ours or the system's: told to those who wait.
            return LookupOutcome.Failed(NameResolutionFailure.ServerFailure, inner: e);
        }
    }

    private static double Milliseconds(long startedAt) => Stopwatch.GetElapsedTime(startedAt).TotalMilliseconds;
}
