using LoopBridge.Resolvers;
using Microsoft.Extensions.Options;

namespace LoopBridge.Resolver.Tests;

public class ResolverOptionsTests
{
    [Fact]
    public void Defaults_AreTheDocumentedOnesAndValid()
    {
        ResolverOptions options = new();
        options.Validate();

        Assert.Equal(TimeSpan.FromSeconds(10), options.Timeout);
        Assert.Equal(4096, options.MaxWaitingCallers);
        Assert.Equal(10, options.MaxThreads);
        Assert.Equal(TimeSpan.FromSeconds(30), options.ThreadIdleTimeout);
    }

    [Fact]
    public void Validate_WithEverythingWrong_TellsAllOfIt()
    {
        ResolverOptions options = new()
        {
            Timeout = TimeSpan.Zero,
            MaxWaitingCallers = 0,
            MaxThreads = 1001,
            ThreadIdleTimeout = Timeout.InfiniteTimeSpan,
        };

        var e = Assert.Throws<OptionsValidationException>(options.Validate);
        Assert.Equal(4, e.Failures.Count());
        Assert.Throws<OptionsValidationException>(() => new ThreadedResolver(Options.Create(options)));
    }
}
