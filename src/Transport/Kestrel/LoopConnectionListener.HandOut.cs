using LoopBridge.Loops;
using Microsoft.AspNetCore.Connections;

namespace LoopBridge.Kestrel;

internal sealed partial class LoopConnectionListener
{
    /// <summary>
    /// The connections that one loop has started in a turn, which are handed out together after it: Kestrel's accepting task waits on
    /// the thread pool, and is woken once for all of them. Loop thread.
    /// </summary>
    private sealed class HandOutWork(LoopConnectionListener listener, IEventLoop loop) : ILoopWork
    {
        private readonly List<LoopConnection> _started = [];

        internal void Add(LoopConnection connection)
        {
            _started.Add(connection);
            if (_started.Count == 1 && !loop.Post(this))
            {
                Run(); // the loop is being closed
            }
        }

        public void Run()
        {
            foreach (LoopConnection connection in _started)
            {
                if (!listener._accepted.Writer.TryWrite(connection))
                {
                    connection.Abort(new ConnectionAbortedException("The listener was closed before the connection was accepted."));
                    _ = connection.DisposeAsync().AsTask();
                }

                listener.OnStarted();
            }

            _started.Clear();
        }
    }
}
