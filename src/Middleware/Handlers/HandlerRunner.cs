using LoopBridge.Protocols;
using LoopBridge.Streams;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace LoopBridge.Handlers;

/// <summary>
/// Serves connections with handlers that DI builds: one scope for each connection, everything of it on the connection's loop.
/// </summary>
internal sealed class HandlerRunner
{
    private readonly IServiceScopeFactory _scopes;
    private readonly ILogger _logger;
    private readonly TransportOptions _transportOptions;
    private readonly LoopStreamOptions _streamOptions;
    private readonly ServedConnections _served = new();

    public HandlerRunner(IServiceScopeFactory scopes, IOptions<LoopBridgeOptions> options, ILoggerFactory loggers)
    {
        _scopes = scopes;
        _logger = loggers.CreateLogger("LoopBridge.Handlers");
        _transportOptions = new TransportOptions { MaxUnsentBytes = options.Value.MaxUnsentBytes, Logger = _logger };
        _streamOptions = new LoopStreamOptions { Logger = loggers.CreateLogger("LoopBridge.Streams") };
    }

    /// <summary>Ends when no connection is served.</summary>
    internal Task WaitForNoneAsync() => _served.WaitForNoneAsync();

    /// <summary>Ends when the protocol has lost its connection.</summary>
    internal Task RunProtocolAsync<TProtocol>(HandlerConnection connection)
        where TProtocol : Protocol
        => RunInScopeAsync<TProtocol>(connection, async services =>
        {
            ReactorTransport? transport = null;
            await connection.AttachAsync((socket, in received) =>
            {
                transport = new ReactorTransport(socket, services.GetRequiredService<TProtocol>(), _transportOptions, connection.Id);
                socket.ChangeSink(transport);
                transport.Begin(received);
            }).ConfigureAwait(false);
            using (connection.Stopping.UnsafeRegister(_ => connection.Loop.AddCallback(transport!.LoseConnection), null))
            {
                await transport!.Completion.ConfigureAwait(false);
            }
        });

    /// <summary>Ends when the handler has returned and the connection is closed.</summary>
    internal Task RunLoopHandlerAsync<THandler>(HandlerConnection connection)
        where THandler : class, ILoopHandler
        => RunInScopeAsync<THandler>(connection, async services =>
        {
            LoopStream? stream = null;
            await connection.AttachAsync((socket, in received) =>
            {
                stream = new LoopStream(socket, _streamOptions) { User = typeof(THandler) };
                stream.Begin(received);
            }).ConfigureAwait(false);
            await connection.Loop.RunAsync(() => HandleAsync(services, stream!)).ConfigureAwait(false);

            async Task HandleAsync(IServiceProvider provider, LoopStream own)
            {
                try
                {
                    await provider.GetRequiredService<THandler>().HandleAsync(own, connection.Stopping);
                    await own.CloseAsync();
                }
                catch (Exception e) when (e is StreamClosedException
                    ? own.IsClosed
                    : e is OperationCanceledException && connection.Stopping.IsCancellationRequested)
                {
                    // Expected: the peer has finished, or the handler gave up when asked to stop. What it has written is still sent.
                    // While this stream is open the exception is of another one, and so the handler's failure.
                    _logger.HandlerEnded(typeof(THandler).Name, connection.Id, e.Message);
                    await own.CloseAsync();
                }
                catch
                {
                    own.Abort(); // the handler's own failure, which is logged by whoever runs it
                    await own.CloseAsync();
                    throw;
                }
            }
        });

    private async Task RunInScopeAsync<THandler>(HandlerConnection connection, Func<IServiceProvider, Task> serve)
    {
        _served.Enter();
        AsyncServiceScope scope = _scopes.CreateAsyncScope();
        try
        {
            scope.ServiceProvider.GetRequiredService<LoopScope>().Loop = connection.Loop;
            await serve(scope.ServiceProvider).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // The user's handler, or its construction: told once, and this connection alone ends.
            _logger.HandlerFailed(typeof(THandler).Name, connection.Id, e);
        }
        finally
        {
            connection.Release();
            await DisposeAsync<THandler>(scope, connection).ConfigureAwait(false);
            _served.Leave();
        }
    }

    private async Task DisposeAsync<THandler>(AsyncServiceScope scope, HandlerConnection connection)
    {
        try
        {
            try
            {
                await connection.Loop.RunAsync(() => scope.DisposeAsync().AsTask()).ConfigureAwait(false);
            }
            catch (LoopClosedException)
            {
                await scope.DisposeAsync().ConfigureAwait(false); // there is no loop any more to do it on
            }
        }
        catch (Exception e)
        {
            _logger.HandlerFailed(typeof(THandler).Name, connection.Id, e); // the user's Dispose: told once, and the server goes on
        }
    }
}
