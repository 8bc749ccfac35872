using System.Reflection;
using LoopBridge.Bridge;
using LoopBridge.Loops;
using LoopBridge.Reactors;
using Microsoft.Extensions.Logging;
using Xunit;
using Xunit.Sdk;
using Xunit.v3;

namespace LoopBridge.Testing;

/// <summary>
/// A way to build a loop: the native one (<c>N</c>), or one on a reactor (<c>L/R</c>), which may itself stand on a loop (<c>L/R/L</c>) and so
/// on; each on each driver.
/// </summary>
public sealed class LoopStack : ContractStack
{
    private static readonly string[] Engines = ["N", "L/R", "L/R/L", "L/R/L/R"];

    private string _name = "";

    /// <summary>Every stack there is.</summary>
    public static IReadOnlyList<LoopStack> All { get; } =
    [
        .. from engine in Engines
           from driver in new[] { "epoll", "managed" }
           select new LoopStack { _name = $"{engine}/{driver}" },
    ];

    public override string Name => _name;

    /// <summary>The mechanism at the bottom.</summary>
    public LoopDriver Driver => _name.EndsWith("/epoll", StringComparison.Ordinal) ? LoopDriver.Epoll : LoopDriver.Managed;

    /// <summary>Whether the loop stands on a reactor, and whoever runs that runs it.</summary>
    public bool IsOnReactor => _name.StartsWith("L/R", StringComparison.Ordinal);

    /// <summary>How many of its loops stand on a reactor.</summary>
    public int Depth => Layers.Count(layer => layer == "L") - (Layers[^1] == "L" ? 1 : 0);

    /// <summary>The native loop on the same driver.</summary>
    public LoopStack Native => All.Single(stack => !stack.IsOnReactor && stack.Driver == Driver);

    /// <summary>Whether the bottom watches any descriptor, and not sockets alone.</summary>
    public bool WatchesAnyDescriptor => Driver != LoopDriver.Managed;

    /// <summary>Whether a turn that fails as a whole ends the run: a native loop ends, a native reactor goes on with the next turn.</summary>
    public bool EndsWithAFailedTurn => Layers[^1] != "R";

    /// <summary>Whether a descriptor that cannot be waited for counts as always ready: what every reactor makes of it.</summary>
    public bool FilesAreAlwaysReady => IsOnReactor;

    /// <summary>Why the stack cannot run on this machine, or null.</summary>
    public string? Missing => Driver == LoopDriver.Epoll && !OperatingSystem.IsLinux() ? "epoll is Linux's" : null;

    // From top to bottom.
    private string[] Layers => _name[.._name.LastIndexOf('/')].Split('/');

    /// <summary>A loop that does not run, and belongs to the caller.</summary>
    /// <param name="clock">What all the layers measure time by.</param>
    /// <param name="logger">Where all the layers log to.</param>
    /// <param name="own">Takes each layer below the loop, the lowest first.</param>
    /// <param name="makeCurrent">As in <see cref="EventLoopOptions.MakeCurrent"/>.</param>
    public IEventLoop Create(TimeProvider clock, ILogger logger, Action<IDisposable> own, bool? makeCurrent = null)
    {
        if (!IsOnReactor)
        {
            return new EventLoop(LoopOptions(clock, logger, makeCurrent));
        }

        var options = new LoopOnReactorOptions { Name = "test", Logger = logger, MakeCurrent = makeCurrent };
        return new LoopOnReactor(CreateReactor(clock, logger, own), options);
    }

    /// <summary>What such a loop stands on, for several loops on it.</summary>
    public IReactor CreateReactor(TimeProvider clock, ILogger logger, Action<IDisposable> own)
    {
        IEventLoop? loop = null;
        IReactor? reactor = null;
        for (int layer = Layers.Length - 1; layer > 0; layer--)
        {
            if (Layers[layer] == "L")
            {
                loop = reactor is null
                    ? new EventLoop(LoopOptions(clock, logger, makeCurrent: false))
                    : new LoopOnReactor(reactor, new LoopOnReactorOptions { Name = "lower", Logger = logger, MakeCurrent = false });
                own(loop);
            }
            else
            {
                reactor = loop is null
                    ? new Reactor(new ReactorOptions { Driver = Driver, TimeProvider = clock, Logger = logger })
                    : new ReactorOnLoop(loop, logger);
                own((IDisposable)reactor);
            }
        }

        return reactor ?? throw new InvalidOperationException($"The stack {_name} has no reactor.");
    }

    private EventLoopOptions LoopOptions(TimeProvider clock, ILogger logger, bool? makeCurrent) => new()
    {
        Name = "test",
        Driver = Driver,
        TimeProvider = clock,
        Logger = logger,
        MakeCurrent = makeCurrent,
    };

    protected override void Become(string name) => _name = name;
}

/// <summary>Gives a test each <see cref="LoopStack"/>, before the further values if there are any: one case for each pair.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LoopStacksAttribute(params object[] values) : DataAttribute
{
    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker)
    {
        IEnumerable<object?[]> cases = values.Length == 0
            ? LoopStack.All.Select(stack => new object?[] { stack })
            : LoopStack.All.SelectMany(stack => values.Select(value => new object?[] { stack, value }));
        return new([.. cases.Select(each => new TheoryDataRow(each))]);
    }

    public override bool SupportsDiscoveryEnumeration() => true;
}
