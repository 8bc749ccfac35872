using System.IO.Pipelines;
using LoopBridge.Loops;
using LoopBridge.Sockets;

namespace LoopBridge.Kestrel;

internal sealed partial class LoopConnection : ISocketTakeOverFeature
{
    public bool CanTakeOver(IDuplexPipe transport) => ReferenceEquals(transport, _pipes);

    public Task TakeOverAsync(SinkFactory begin)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!Loop.Post(new TakeOverWork(this, begin, done)))
        {
            done.SetException(new ObjectDisposedException(nameof(IEventLoop), "The loop of the connection is closed."));
        }

        return done.Task;
    }

    private void TakeOver(SinkFactory begin)
    {
        _reader.TakeOver(received =>
        {
            // The socket may have closed while the handler was on its way; it is told in the usual order all the same.
            ISocketSink handler = begin(_socket, received);
            _handler = handler;
            if (_socketClosed)
            {
                handler.OnClosed(_shutdownReason);
            }
        });
    }

    private sealed class TakeOverWork(LoopConnection connection, SinkFactory begin, TaskCompletionSource done) : ILoopWork
    {
        public void Run()
        {
            try
            {
                connection.TakeOver(begin);
                done.SetResult();
            }
            catch (Exception e)
            {
                done.SetException(e); // whoever asked for the take-over learns why it failed
            }
        }
    }
}
