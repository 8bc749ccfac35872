using System.Reflection;
using LoopBridge.Loops;
using Microsoft.Extensions.Logging;
using Xunit;
using Xunit.Sdk;
using Xunit.v3;

namespace LoopBridge.Testing;

/// <summary>A way to build a loop. The native one (<c>N</c>) on each driver; loops on reactors join the list when they exist.</summary>
public sealed class LoopStack : ContractStack
{
    private static readonly Dictionary<string, LoopDriver> Natives = new()
    {
        ["N/epoll"] = LoopDriver.Epoll,
        ["N/managed"] = LoopDriver.Managed,
    };

    private string _name = "";

    /// <summary>Every stack there is.</summary>
    public static IReadOnlyList<LoopStack> All { get; } = [.. Natives.Keys.Select(name => new LoopStack { _name = name })];

    public override string Name => _name;

    /// <summary>The mechanism at the bottom.</summary>
    public LoopDriver Driver => Natives[_name];

    /// <summary>Whether the bottom watches any descriptor, and not sockets alone.</summary>
    public bool WatchesAnyDescriptor => Driver != LoopDriver.Managed;

    /// <summary>Why the stack cannot run on this machine, or null.</summary>
    public string? Missing => Driver == LoopDriver.Epoll && !OperatingSystem.IsLinux() ? "epoll is Linux's" : null;

    /// <summary>A loop that does not run.</summary>
    public IEventLoop Create(TimeProvider clock, ILogger logger, bool? makeCurrent = null) => new EventLoop(new EventLoopOptions
    {
        Name = "test",
        Driver = Driver,
        TimeProvider = clock,
        Logger = logger,
        MakeCurrent = makeCurrent,
    });

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
