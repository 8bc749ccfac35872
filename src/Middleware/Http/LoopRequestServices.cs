using LoopBridge.Handlers;
using LoopBridge.Kestrel;
using LoopBridge.Loops;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace LoopBridge.Http;

/// <summary>
/// The request's services, with the loop of the request's connection put into the scope when, and if, the scope is first asked for. A
/// scope that a middleware before has opened stays the request's only one.
/// </summary>
/// <remarks>
/// A connection of HTTP/1 has one request at a time and keeps one of these for all, as Kestrel keeps its context: nothing is allocated for
/// a request that asks for no service.
/// </remarks>
internal sealed class LoopRequestServices(IServiceScopeFactory scopes, IEventLoop loop) : IServiceProvidersFeature, IDisposable
{
    private HttpContext? _context;
    private IServiceProvidersFeature? _opened;
    private IServiceProvider? _services;

    public IServiceProvider RequestServices
    {
        get
        {
            if (_services is null)
            {
                _services = (_opened ?? new RequestServicesFeature(_context!, scopes)).RequestServices;
                _services.GetRequiredService<LoopScope>().Loop = loop;
                _context!.Response.RegisterForDispose(this);
            }

            return _services;
        }

        set => _services = value;
    }

    /// <summary>The request has ended, and its services with it: an idle connection keeps none of them alive.</summary>
    public void Dispose()
    {
        _services = null;
        _opened = null;
    }

    /// <summary>Those of a request that begins.</summary>
    internal static LoopRequestServices For(HttpContext context, IServiceScopeFactory scopes, ILoopConnectionFeature connection)
    {
        var opened = (IServiceProvidersFeature?)context.Features[typeof(IServiceProvidersFeature)];
        LoopRequestServices services;
        if (connection is LoopConnection kept && HttpProtocol.IsHttp11(context.Request.Protocol))
        {
            services = kept.RequestState as LoopRequestServices ?? new LoopRequestServices(scopes, connection.Loop);
            kept.RequestState = services;
            if (ReferenceEquals(services, opened))
            {
                return services; // the middleware is there twice
            }
        }
        else
        {
            services = new LoopRequestServices(scopes, connection.Loop);
        }

        services._context = context;
        services._opened = opened;
        services._services = null;
        return services;
    }
}
