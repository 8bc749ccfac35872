using LoopBridge.Resolvers;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace LoopBridge.Hosting;

/// <summary>Binds the section <c>LoopBridge:Resolver</c>.</summary>
internal sealed class ResolverOptionsSetup(IConfiguration configuration) : IConfigureOptions<ResolverOptions>
{
    public void Configure(ResolverOptions options) => configuration.GetSection("LoopBridge:Resolver").Bind(options);
}
