using System.IO.Pipelines;

namespace LoopBridge;

/// <summary>
/// The client's end of a connection that has no socket: what is written here a handler of this process receives. For tests.
/// </summary>
public sealed class MemoryConnection : IAsyncDisposable
{
    private readonly IDuplexPipe _pipe;

    internal MemoryConnection(IDuplexPipe pipe, Task handled)
    {
        _pipe = pipe;
        Handled = handled;
    }

    /// <summary>What the handler sends. Ends when the handler's side is closed.</summary>
    public PipeReader Input => _pipe.Input;

    /// <summary>What the handler receives. Completing it is the client's close.</summary>
    public PipeWriter Output => _pipe.Output;

    /// <summary>Ends when the handler is done with the connection and its scope is disposed.</summary>
    public Task Handled { get; }

    /// <summary>Both directions as one stream.</summary>
    public Stream AsStream() => new DuplexPipeStream(_pipe);

    /// <summary>Closes the client's side and waits for the handler to be done with it.</summary>
    public async ValueTask DisposeAsync()
    {
        await _pipe.Output.CompleteAsync().ConfigureAwait(false);
        await _pipe.Input.CompleteAsync().ConfigureAwait(false);
        await Handled.ConfigureAwait(false);
    }
}
