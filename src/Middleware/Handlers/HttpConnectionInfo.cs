using System.Net;
using LoopBridge.Kestrel;
using LoopBridge.Loops;
using Microsoft.AspNetCore.Http;

namespace LoopBridge.Handlers;

/// <summary>What a handler is told of the HTTP connection that its WebSocket came by.</summary>
internal sealed record HttpConnectionInfo(
    string Id, IEventLoop? Loop, EndPoint? Local, EndPoint? Remote, Action Abort, CancellationToken Stopping)
{
    internal static HttpConnectionInfo Of(HttpContext context, CancellationToken stopping)
    {
        ConnectionInfo connection = context.Connection;
        return new HttpConnectionInfo(
            context.TraceIdentifier,
            context.Features.Get<ILoopConnectionFeature>()?.Loop,
            EndPointOf(connection.LocalIpAddress, connection.LocalPort),
            EndPointOf(connection.RemoteIpAddress, connection.RemotePort),
            context.Abort,
            stopping);
    }

    private static IPEndPoint? EndPointOf(IPAddress? address, int port) => address is null ? null : new IPEndPoint(address, port);
}
