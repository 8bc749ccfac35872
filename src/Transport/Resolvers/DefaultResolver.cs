namespace LoopBridge.Resolvers;

/// <summary>For connections that nobody gave a resolver: one that asks the operating system, shared by the process.</summary>
internal static class DefaultResolver
{
    private static readonly Lazy<ThreadedResolver> Shared
        = new(static () => new ThreadedResolver(Microsoft.Extensions.Options.Options.Create(new ResolverOptions())));

    /// <summary>Its threads end when they have nothing to do, so nobody needs to dispose of it.</summary>
    internal static INameResolver Instance => Shared.Value;
}
