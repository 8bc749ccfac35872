using LoopBridge;
using LoopBridge.Protocols;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Microsoft.AspNetCore.Hosting;

/// <summary>
/// Serves an endpoint of the configuration section <c>Kestrel:Endpoints</c> with a reactor protocol or a loop handler: over TLS if its
/// address begins with <c>https</c>.
/// </summary>
public static class LoopBridgeEndpointConfigurationExtensions
{
    /// <summary>
    /// As <see cref="LoopBridgeConnectionBuilderExtensions.UseReactorProtocol{TProtocol}"/>, behind TLS if the configured address says so.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// <c>services.AddReactorProtocol</c> was not called for the type, or TLS is configured without a certificate.
    /// </exception>
    public static IConnectionBuilder UseReactorProtocol<TProtocol>(this EndpointConfiguration endpoint)
        where TProtocol : Protocol
        => WithTls(endpoint).UseReactorProtocol<TProtocol>();

    /// <summary>
    /// As <see cref="LoopBridgeConnectionBuilderExtensions.UseLoopHandler{THandler}"/>, behind TLS if the configured address says so.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// <c>services.AddLoopHandler</c> was not called for the type, or TLS is configured without a certificate.
    /// </exception>
    public static IConnectionBuilder UseLoopHandler<THandler>(this EndpointConfiguration endpoint)
        where THandler : class, ILoopHandler
        => WithTls(endpoint).UseLoopHandler<THandler>();

    // Kestrel adds TLS only after the endpoint's callback: behind the handler, where no byte would ever reach it, and the address would
    // say https in vain.
    private static ListenOptions WithTls(EndpointConfiguration endpoint)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        endpoint.ListenOptions.Named(endpoint.ConfigSection.Key);
        return endpoint.IsHttps ? endpoint.ListenOptions.UseHttps(endpoint.HttpsOptions) : endpoint.ListenOptions;
    }
}
