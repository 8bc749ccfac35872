using LoopBridge.Bridge;
using LoopBridge.Loops;
using LoopBridge.Reactors;

namespace LoopBridge.Handlers;

/// <summary>
/// The loop that a scope belongs to: set for the scope of a connection or a request, so that <see cref="IEventLoop"/> and the reactor can
/// be injected. Anywhere else it is the loop of the calling thread, or one of the group.
/// </summary>
internal sealed class LoopScope(LoopGroup group)
{
    private IEventLoop? _loop;

    internal IEventLoop Loop
    {
        get
        {
            if (_loop is null)
            {
                group.Start();
                _loop = CurrentLoop.Value is { IsOnLoopThread: true } running
                    ? running
                    : group.Members[Environment.CurrentManagedThreadId % group.Count].Loop;
            }

            return _loop;
        }

        set => _loop = value;
    }

    /// <summary>Its reactor. The scope that it is injected in will want to dispose of it, and must not.</summary>
    internal IReactor Reactor
    {
        get
        {
            if (Loop.GetReactor() is Reactor { IsInGroup: true } native)
            {
                return native;
            }

            // Also that of a loop on somebody's reactor, which is not ours to lend.
            ReactorOnLoop reactor = Loop.GetReactorAbove();
            reactor.IsLent = true;
            return reactor;
        }
    }
}
