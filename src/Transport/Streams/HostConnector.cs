using System.Net;
using System.Net.Sockets;
using LoopBridge.Loops;
using LoopBridge.Resolvers;
using LoopBridge.Sockets;

namespace LoopBridge.Streams;

/// <summary>
/// Connects to a host: its name, its addresses, and what is to be agreed upon afterwards, all within one time. Loop thread, under the
/// loop's context.
/// </summary>
/// <param name="loop">Times it.</param>
/// <param name="resolver">Finds the addresses.</param>
/// <param name="attempt">Connects to one address; its token fires when the attempt is of no use any more.</param>
/// <param name="close">Closes a connection that came too late.</param>
/// <typeparam name="TConnection">What an attempt makes.</typeparam>
internal sealed class HostConnector<TConnection>(
    IEventLoop loop, INameResolver resolver, Func<IPEndPoint, CancellationToken, Task<TConnection>> attempt, Action<TConnection> close)
{
    private readonly List<ConnectAttempt> _failed = [];

    /// <summary>How long all of it may take by the loop's clock; null for no limit.</summary>
    internal TimeSpan? Timeout { get; init; }

    internal AddressFamily Family { get; init; } = AddressFamily.Unspecified;

    /// <summary>What makes of the connection the one to return, such as TLS. It closes the connection when it fails.</summary>
    internal Func<TConnection, CancellationToken, Task<TConnection>>? Finish { get; init; }

    /// <summary>Once.</summary>
    /// <exception cref="NameResolutionException">There is no address.</exception>
    /// <exception cref="ConnectFailedException">None of them answers.</exception>
    /// <exception cref="TimeoutException"><see cref="Timeout"/> was over first.</exception>
    internal async Task<TConnection> ConnectAsync(string host, int port, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        string target = host.Contains(':', StringComparison.Ordinal) ? $"[{host}]:{port}" : $"{host}:{port}";
        using var limit = new LoopDeadline(loop, Timeout, cancellationToken);
        try
        {
            // Somebody else's resolver may be slow to give up.
            NameResolution found = await resolver.ResolveAsync(host, port, Family, limit.Token).AsTask().WaitAsync(limit.Token);
            TConnection connection = await AddressConnector<TConnection>.ConnectAsync(
                loop, found.EndPoints, attempt, close, target, _failed, limit.Token);
            return Finish is null ? connection : await Finish(connection, limit.Token);
        }
        catch (OperationCanceledException e) when (limit.HasPassed)
        {
            throw new TimeoutException($"Could not connect to {target} within {Timeout}. {ConnectAttempt.Describe(_failed)}", e);
        }
        catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(e.Message, e, cancellationToken); // the caller's token, not ours around it
        }
    }
}
