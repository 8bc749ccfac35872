using System.IO.Pipelines;
using LoopBridge.Loops;

namespace LoopBridge.Kestrel;

internal sealed partial class LoopConnection : ISocketTakeOverFeature
{
    public bool CanTakeOver(IDuplexPipe transport) => ReferenceEquals(transport, this);

    public Task TakeOverAsync(SinkStarter begin)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!Loop.Post(new TakeOverWork(this, begin, done)))
        {
            done.SetException(new ObjectDisposedException(nameof(IEventLoop), "The loop of the connection is closed."));
        }

        return done.Task;
    }

    private sealed class TakeOverWork(LoopConnection connection, SinkStarter begin, TaskCompletionSource done) : ILoopWork
    {
        public void Run()
        {
            try
            {
                connection._reader.TakeOver(received => begin(connection._socket, received));
                done.SetResult();
            }
            catch (Exception e)
            {
                done.SetException(e); // whoever asked for the take-over learns why it failed
            }
        }
    }
}
