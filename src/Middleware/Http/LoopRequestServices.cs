using System.Diagnostics.CodeAnalysis;
using LoopBridge.Handlers;
using LoopBridge.Loops;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace LoopBridge.Http;

/// <summary>
/// The request's services, with the loop of the request's connection put into the scope when, and if, the scope is first asked for. A
/// scope that a middleware before has opened stays the request's only one.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The services register themselves with the response, which disposes of them.")]
internal sealed class LoopRequestServices(
    HttpContext context, IServiceScopeFactory scopes, IEventLoop loop, IServiceProvidersFeature? opened) : IServiceProvidersFeature
{
    private IServiceProvider? _services;

    public IServiceProvider RequestServices
    {
        get
        {
            if (_services is null)
            {
                _services = (opened ?? new RequestServicesFeature(context, scopes)).RequestServices;
                _services.GetRequiredService<LoopScope>().Loop = loop;
            }

            return _services;
        }

        set => _services = value;
    }
}
