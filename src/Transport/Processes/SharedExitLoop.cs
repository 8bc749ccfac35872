using LoopBridge.Loops;

namespace LoopBridge.Processes;

/// <summary>
/// One thread that waits for all children whose own loop cannot: the driver watches sockets only, or the loop was closed before its child
/// ended. It begins with the first child and ends with the last. Linux.
/// </summary>
internal static class SharedExitLoop
{
    private static readonly Lock Gate = new();
    private static EventLoop? _loop;
    private static int _children;

    /// <summary>A running loop for one more child. Any thread.</summary>
    internal static IEventLoop Acquire()
    {
        lock (Gate)
        {
            _loop ??= Begin();
            _children++;
            return _loop;
        }
    }

    /// <summary>A child has ended. The loop's thread.</summary>
    internal static void Release()
    {
        lock (Gate)
        {
            if (--_children == 0)
            {
                _loop!.Stop();
                _loop = null;
            }
        }
    }

    private static EventLoop Begin()
    {
        var loop = new EventLoop(new EventLoopOptions { Name = "children", Driver = LoopDriver.Epoll });
        new Thread(() =>
        {
            loop.Start();
            loop.Dispose();
        })
        {
            IsBackground = true,
            Name = "LoopBridge children",
        }.UnsafeStart();
        return loop;
    }
}
