using System.Diagnostics.CodeAnalysis;
using LoopBridge.Handlers;
using LoopBridge.Loops;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace LoopBridge.Http;

/// <summary>The request's services, with the loop of the request's connection put into the scope when, and if, the scope is first asked for.</summary>
[SuppressMessage("Design", "CA1001", Justification = "The services register themselves with the response, which disposes of them.")]
internal sealed class LoopRequestServices(HttpContext context, IServiceScopeFactory scopes, IEventLoop loop) : IServiceProvidersFeature
{
    private RequestServicesFeature? _services;
    private IServiceProvider? _replaced;

    public IServiceProvider RequestServices
    {
        get
        {
            if (_replaced is not null)
            {
                return _replaced;
            }

            if (_services is null)
            {
                _services = new RequestServicesFeature(context, scopes);
                _services.RequestServices.GetRequiredService<LoopScope>().Loop = loop;
            }

            return _services.RequestServices;
        }

        set => _replaced = value;
    }
}
