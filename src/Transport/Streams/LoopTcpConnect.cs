using System.Net;
using LoopBridge.Loops;
using LoopBridge.Resolvers;
using LoopBridge.Sockets;

namespace LoopBridge.Streams;

/// <summary>One connect of a client: the name, the addresses, TLS, all within one time. Loop thread, under the loop's context.</summary>
internal sealed class LoopTcpConnect(IEventLoop loop, INameResolver resolver, string host, int port, LoopTcpConnectOptions options)
{
    private readonly List<ConnectAttempt> _failed = [];

    private string Target => host.Contains(':', StringComparison.Ordinal) ? $"[{host}]:{port}" : $"{host}:{port}";

    internal async Task<LoopStream> RunAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var limit = new LoopDeadline(loop, options.Timeout, cancellationToken);
        try
        {
            // The resolver may be anybody's, and slow to give up.
            NameResolution found = await resolver.ResolveAsync(host, port, options.Family, limit.Token).AsTask().WaitAsync(limit.Token);
            return await AddressConnector<LoopStream>.ConnectAsync(
                loop, found.EndPoints, AttemptAsync, CloseLate, Target, _failed, limit.Token);
        }
        catch (OperationCanceledException e) when (limit.HasPassed)
        {
            throw new TimeoutException($"Could not connect to {Target} within {options.Timeout}. {ConnectAttempt.Describe(_failed)}", e);
        }
        catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(e.Message, e, cancellationToken); // the caller's token, not ours around it
        }
    }

    private async Task<LoopStream> AttemptAsync(IPEndPoint endPoint, CancellationToken cancellationToken)
    {
        LoopStream? stream = null;
        await SocketConnector.ConnectAsync(
            loop,
            endPoint,
            StreamSocketOptions.Default,
            socket =>
            {
                stream = new LoopStream(socket);
                return stream.SocketSink;
            },
            cancellationToken,
            options.SourceOf(endPoint.AddressFamily));
        return stream!;
    }

    private static void CloseLate(LoopStream stream) => _ = stream.CloseAsync().AsTask();
}
