using System.Reflection;
using LoopBridge.Bridge;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Reactors;
using Microsoft.Extensions.Logging;
using Xunit;
using Xunit.Sdk;
using Xunit.v3;

namespace LoopBridge.Testing;

/// <summary>
/// A way to build a reactor: the native one (<c>N</c>), one on a native loop (<c>R/L</c>), or one on a loop on a native reactor
/// (<c>R/L/R</c>); each on each driver.
/// </summary>
public sealed class ReactorStack : ContractStack
{
    private static readonly string[] Engines = ["N", "R/L", "R/L/R"];

    private string _name = "";

    /// <summary>Every stack there is.</summary>
    public static IReadOnlyList<ReactorStack> All { get; } =
    [
        .. from engine in Engines
           from driver in new[] { "epoll", "managed" }
           select new ReactorStack { _name = $"{engine}/{driver}" },
    ];

    public override string Name => _name;

    /// <summary>The mechanism at the bottom.</summary>
    public LoopDriver Driver => _name.EndsWith("/epoll", StringComparison.Ordinal) ? LoopDriver.Epoll : LoopDriver.Managed;

    /// <summary>Whether the reactor stands on a loop, and whoever runs that runs it.</summary>
    public bool IsOnLoop => _name.StartsWith("R/", StringComparison.Ordinal);

    /// <summary>Whether a native reactor is at the bottom: a turn that fails as a whole is followed by the next, where a native loop ends.</summary>
    public bool OutlivesAFailedTurn => Layers[^1] is "N" or "R";

    /// <summary>Whether the bottom watches any descriptor, and not sockets alone.</summary>
    public bool WatchesAnyDescriptor => Driver != LoopDriver.Managed;

    /// <summary>Why the stack cannot run on this machine, or null.</summary>
    public string? Missing => Driver == LoopDriver.Epoll && !OperatingSystem.IsLinux() ? "epoll is Linux's" : null;

    // From top to bottom.
    private string[] Layers => _name[.._name.LastIndexOf('/')].Split('/');

    /// <summary>Builds it from the bottom up; none of it runs.</summary>
    /// <param name="clock">What all the layers measure time by.</param>
    /// <param name="logger">What all the layers log to.</param>
    /// <param name="own">Takes each layer, the lowest first.</param>
    public IReactor Create(TimeProvider clock, ILogger logger, Action<IDisposable> own) => Create(clock, logger, own, driver: null);

    /// <summary>As above, on a driver of the test's own.</summary>
    internal IReactor Create(TimeProvider clock, ILogger logger, Action<IDisposable> own, IIoDriver? driver)
    {
        IEventLoop? loop = null;
        IReactor? reactor = null;
        foreach (string layer in Layers.Reverse())
        {
            if (layer == "L")
            {
                loop = reactor is null
                    ? new EventLoop(new EventLoopOptions { Name = "test", Driver = Driver, TimeProvider = clock, Logger = logger }, driver, face: null)
                    : new LoopOnReactor(reactor, new LoopOnReactorOptions { Name = "test", Logger = logger });
                own(loop);
            }
            else
            {
                reactor = loop is null
                    ? new Reactor(new ReactorOptions { Name = "test", Driver = Driver, TimeProvider = clock, Logger = logger }, driver)
                    : new ReactorOnLoop(loop, logger);
                own((IDisposable)reactor);
            }
        }

        return reactor ?? throw new InvalidOperationException($"The stack {_name} has no reactor.");
    }

    protected override void Become(string name) => _name = name;
}

/// <summary>Gives a test each <see cref="ReactorStack"/>, before the further values if there are any: one case for each pair.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ReactorStacksAttribute(params object[] values) : DataAttribute
{
    /// <summary>Whether to give only those on a loop, for what binds embedded reactors.</summary>
    public bool OnLoop { get; init; }

    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker)
    {
        IEnumerable<ReactorStack> stacks = ReactorStack.All.Where(stack => stack.IsOnLoop || !OnLoop);
        IEnumerable<object?[]> cases = values.Length == 0
            ? stacks.Select(stack => new object?[] { stack })
            : stacks.SelectMany(stack => values.Select(value => new object?[] { stack, value }));
        return new([.. cases.Select(each => new TheoryDataRow(each))]);
    }

    public override bool SupportsDiscoveryEnumeration() => true;
}
