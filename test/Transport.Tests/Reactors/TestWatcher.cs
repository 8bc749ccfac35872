using System.Runtime.InteropServices;
using LoopBridge.Drivers;
using LoopBridge.Reactors;

namespace LoopBridge.Transport.Tests.Reactors;

/// <summary>Keeps what a watcher was told, and answers as the test likes.</summary>
internal sealed class TestWatcher(SafeHandle handle) : IEventDescriptor
{
    public SafeHandle Handle => handle;

    public bool NeedsChangesOnly { get; init; }

    internal Func<IoEvents, Exception?> OnEvents { get; set; } = static _ => null;

    internal List<IoEvents> Events { get; } = [];

    internal List<Exception> Losses { get; } = [];

    internal TaskCompletionSource<Exception> Lost { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Exception? DoEvents(IoEvents events)
    {
        Events.Add(events);
        return OnEvents(events);
    }

    public void ConnectionLost(Exception reason)
    {
        Losses.Add(reason);
        Lost.TrySetResult(reason);
    }
}
