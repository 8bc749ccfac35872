namespace LoopBridge.Protocols;

/// <remarks>Ending one direction. The socket ends with the second one.</remarks>
internal sealed partial class ReactorTransport
{
    private bool _writeEnding;
    private bool _writeEnded;
    private bool _readEnded;

    public void LoseWriteConnection()
    {
        if (_writeEnding || _disconnecting)
        {
            return;
        }

        ThrowIfOffLoop();
        _writeEnding = true;
        if (_producer is null)
        {
            _socket.FinishSending();
        }
    }

    private void TellWriteEnded()
    {
        if (_protocol is IHalfCloseProtocol halfClose)
        {
            Tell(halfClose.WriteConnectionLost, nameof(IHalfCloseProtocol.WriteConnectionLost));
        }

        EndWithBothDirections();
    }

    private void TellReadEnded(IHalfCloseProtocol halfClose)
    {
        _readEnded = true;
        Tell(halfClose.ReadConnectionLost, nameof(IHalfCloseProtocol.ReadConnectionLost));
        EndWithBothDirections();
    }

    // Nothing can come any more and nothing can be said: the reference leaves such a socket to whoever remembers to close it.
    private void EndWithBothDirections()
    {
        if (_readEnded && _writeEnded && !_disconnecting)
        {
            _disconnecting = true;
            CloseDone();
        }
    }

    private void Tell(Action notification, string name)
    {
        var call = new ProtocolCall(Loop, _ambient);
        try
        {
            notification();
        }
        catch (Exception e)
        {
            Fail(e, name); // user code
        }
        finally
        {
            call.Leave();
        }
    }
}
