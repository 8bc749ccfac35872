using System.Net;
using System.Net.Sockets;
using LoopBridge.Loops;
using LoopBridge.Resolvers;
using LoopBridge.Sockets;

namespace LoopBridge.Streams;

public sealed partial class LoopStream
{
    private TaskCompletionSource? _connecting;
    private CancellationTokenSource? _resolving;
    private CancellationToken _connectToken;

    // Null when the stream is connected.
    private EndPoint? _connectTarget;

    /// <summary>
    /// Done when the stream is connected, which all but those of <see cref="Connect"/> are from the beginning. Otherwise fails with a
    /// <see cref="StreamClosedException"/> that names the end point and has the reason as its cause. Any thread.
    /// </summary>
    public Task Connected => _connecting?.Task ?? Task.CompletedTask;

    private bool IsConnecting => _connecting is { Task.IsCompleted: false };

    private void BeginConnect(ConnectingChannel channel, EndPoint endPoint)
    {
        _connecting = new TaskCompletionSource();
        _connectTarget = endPoint;
        LoopResumption.Run(Loop, static connect => _ = connect.stream.ConnectAsync(connect.channel), (stream: this, channel));
    }

    // Under the loop's context, so that it goes on there. Nothing escapes: what goes wrong closes the stream and is told as that.
    private async Task ConnectAsync(ConnectingChannel channel)
    {
        try
        {
            SocketError error = SocketError.HostNotFound;
            foreach (EndPoint address in await ResolveAsync(_connectTarget!))
            {
                error = await channel.TryAsync(address, _noDelay);
                if (error == SocketError.Success)
                {
                    OnConnected(channel);
                    return;
                }
            }

            CloseNow(new SocketException((int)error));
        }
        catch (Exception e)
        {
            CloseNow(e); // no such name, no socket to be had, or a resolver that failed otherwise: told by Connected and Error
        }
    }

    private async ValueTask<IEnumerable<EndPoint>> ResolveAsync(EndPoint endPoint)
    {
        if (endPoint is not DnsEndPoint name)
        {
            return [endPoint];
        }

        using (_resolving = new CancellationTokenSource())
        {
            try
            {
                INameResolver resolver = _resolver ?? DefaultResolver.Instance;
                return (await resolver.ResolveAsync(name.Host, name.Port, name.AddressFamily, _resolving.Token)).EndPoints;
            }
            finally
            {
                _resolving = null;
            }
        }
    }

    // L-STR-29: first the connect is done, then bytes go.
    private void OnConnected(ConnectingChannel channel)
    {
        if (_socket.IsClosing)
        {
            return; // given up meanwhile, which is about to be told
        }

        _connectTarget = null;
        channel.Adopt();
        _connecting!.SetResult();
        channel.Begin();
    }

    private void SettleConnect()
    {
        if (!IsConnecting)
        {
            return;
        }

        if (!_socketClosed && _connectToken.IsCancellationRequested)
        {
            CloseNow(new OperationCanceledException(_connectToken)); // comes back here when it has
        }
        else if (_socketClosed)
        {
            StreamClosedException failure = ClosedException();
            LoopResumption.Run(Loop, static end => end.connecting.SetException(end.failure), (connecting: _connecting!, failure));
            _ = _connecting!.Task.Exception; // looked at here: whoever asks only for Error or OnClosed leaves no unobserved exception
        }
    }
}
