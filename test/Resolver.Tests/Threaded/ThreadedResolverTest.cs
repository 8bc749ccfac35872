using LoopBridge.Resolvers;

namespace LoopBridge.Resolver.Tests.Threaded;

/// <summary>A resolver with a scripted lookup and threads that no other test uses.</summary>
public abstract class ThreadedResolverTest : IDisposable
{
    private readonly List<ThreadedResolver> _resolvers = [];

    internal ScriptedLookup Lookup { get; } = new();

    protected static CancellationToken TestToken => TestContext.Current.CancellationToken;

    protected static ResolverOptions Options() => new() { Timeout = LoopBridge.Testing.Deadline.Default };

    protected ThreadedResolver Create(ResolverOptions? options = null)
    {
        options ??= Options();
        return Track(new ThreadedResolver(options, Lookup.LookUp, new LookupThreads(options.MaxThreads, options.ThreadIdleTimeout)));
    }

    protected ThreadedResolver Track(ThreadedResolver resolver)
    {
        _resolvers.Add(resolver);
        return resolver;
    }

    public void Dispose()
    {
        _resolvers.ForEach(r => r.Dispose());
        Lookup.Dispose();
        GC.SuppressFinalize(this);
    }
}
