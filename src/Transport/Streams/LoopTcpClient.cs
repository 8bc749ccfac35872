using System.Net;
using System.Net.Security;
using LoopBridge.Loops;
using LoopBridge.Resolvers;
using LoopBridge.Sockets;

namespace LoopBridge.Streams;

/// <summary>
/// Connects <see cref="LoopStream"/>s by name. Descends from Tornado's <c>TCPClient</c>; not called so here, because whoever opens
/// connections has <c>System.Net.Sockets</c> and its own <c>TcpClient</c> at hand.
/// </summary>
/// <remarks>
/// <para>
/// All addresses of the host are tried, those of the first one's family one after the other; those of the other family join in when one
/// fails, or after 0.3 s ("Happy Eyeballs", RFC 6555). The first that connects wins, and the rest is closed.
/// </para>
/// <para>Members may be called from any thread. The streams belong to the loop.</para>
/// </remarks>
public sealed class LoopTcpClient : IDisposable
{
    private static readonly LoopTcpConnectOptions Defaults = new();

    private readonly INameResolver _resolver;
    private readonly ThreadedResolver? _ownResolver;

    /// <summary>Makes a client. It opens nothing before the first connect.</summary>
    /// <param name="loop">Where the streams will live. Any loop.</param>
    /// <param name="resolver">
    /// Turns names into addresses, and stays the caller's. Defaults to one that asks the operating system, which ends with the client.
    /// </param>
    public LoopTcpClient(IEventLoop loop, INameResolver? resolver = null)
    {
        ArgumentNullException.ThrowIfNull(loop);
        Loop = loop;
        _resolver = resolver ?? (_ownResolver = new ThreadedResolver(Microsoft.Extensions.Options.Options.Create(new ResolverOptions())));
    }

    /// <summary>The loop the streams live on.</summary>
    public IEventLoop Loop { get; }

    /// <summary>Connects to a host.</summary>
    /// <param name="host">A name or an address.</param>
    /// <param name="port">The port, 0 to 65535.</param>
    /// <param name="options">How. Defaults to no limit of time, either family and no TLS.</param>
    /// <param name="cancellationToken">Ends the attempts and closes what was begun; after the connection is made it does nothing.</param>
    /// <returns>The connected stream, to be used on the loop's thread. A call made there continues there.</returns>
    /// <exception cref="NameResolutionException">The host has no address, or none could be found out.</exception>
    /// <exception cref="ConnectFailedException">None of its addresses could be connected to.</exception>
    /// <exception cref="System.Security.Authentication.AuthenticationException">
    /// With TLS: the two sides did not come to terms, or the server's certificate is not trusted or is for another name.
    /// </exception>
    /// <exception cref="IOException">With TLS: the connection ended during the handshake.</exception>
    /// <exception cref="TimeoutException">
    /// <see cref="LoopTcpConnectOptions.Timeout"/> was over first; without one, the TLS handshake took longer than
    /// <see cref="LoopStream.DefaultHandshakeTimeout"/>.
    /// </exception>
    /// <exception cref="OperationCanceledException">The token was cancelled first.</exception>
    /// <exception cref="ObjectDisposedException">The loop is closed, or the client with its own resolver.</exception>
    public Task<LoopStream> ConnectAsync(
        string host, int port, LoopTcpConnectOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentOutOfRangeException.ThrowIfLessThan(port, IPEndPoint.MinPort);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(port, IPEndPoint.MaxPort);
        LoopTcpConnectOptions how = (options ?? Defaults).Copy();
        var connector = new HostConnector<LoopStream>(
            Loop, _resolver, (endPoint, token) => AttemptAsync(endPoint, how, token), static stream => _ = stream.CloseAsync().AsTask())
        {
            Timeout = how.Timeout,
            Family = how.Family,
            Finish = how.Tls is null ? null : (stream, token) => UpgradeAsync(stream, ClientTls.ForHost(how.Tls, host), how.Timeout, token),
        };
        return LoopCall.InvokeAsync(Loop, () => connector.ConnectAsync(host, port, cancellationToken));
    }

    /// <summary>
    /// Ends the resolver that the client made for itself, if it made one, and with it the connects that still wait for a name. Streams and
    /// a resolver that was given are not touched. Any thread; harmless when repeated.
    /// </summary>
    public void Dispose() => _ownResolver?.Dispose();

    private async Task<LoopStream> AttemptAsync(IPEndPoint endPoint, LoopTcpConnectOptions options, CancellationToken cancellationToken)
    {
        LoopStreamOptions settings = options.Stream ?? LoopStreamOptions.Default;
        LoopStream? stream = null;
        await SocketConnector.ConnectAsync(
            Loop,
            endPoint,
            StreamSocketOptions.Default,
            socket =>
            {
                stream = new LoopStream(socket, settings);
                stream.SetNoDelay(settings.NoDelay);
                return stream.SocketSink;
            },
            cancellationToken,
            options.SourceOf(endPoint.AddressFamily));
        return stream!;
    }

    // The limit of the whole connect holds for the handshake; the stream's own is for those without one.
    private static async Task<LoopStream> UpgradeAsync(
        LoopStream stream, SslClientAuthenticationOptions options, TimeSpan? limit, CancellationToken cancellationToken)
    {
        try
        {
            LoopStream upgraded = stream.StartTls(options, limit is null ? null : Timeout.InfiniteTimeSpan);
            return await upgraded.WaitForHandshakeAsync(cancellationToken);
        }
        catch
        {
            stream.Abort(); // closes the upgraded one, too: nobody gets it
            throw;
        }
    }
}
