using LoopBridge.Drivers;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Sockets;

/// <remarks>
/// <para>What to do with clients that a full process cannot serve. Left in the queue they wait, perhaps for as long as they are patient,
/// and are served if descriptors come free: right behind Kestrel, whose clients retry and whose operators watch. Turned away they see an
/// orderly close at once and may go elsewhere: what the reactor contract wants of its ports (R-TCPP-03).</para>
/// <para>Turning away begins when the last few descriptors are touched (<see cref="DescriptorHeadroom"/>), because with none left the
/// runtime itself was seen to end. Each client then costs an accept and a close, no more than in good times. If others have used those
/// last ones, too, the <see cref="DescriptorReservation"/> of the process lends one.</para>
/// </remarks>
internal sealed partial class SocketListener
{
    // More than a usual queue (512), and a bound for a flood of clients that come as fast as they are closed.
    private const int MaxTurnedAway = 1024;

    private bool _reserves;
    private int _turnedAway;

    private void BeginReserving()
    {
        if (!_settings.TurnsAwayWhenExhausted)
        {
            return;
        }

        _reserves = true;
        try
        {
            DescriptorReservation.Process.AddUser(_logger);
        }
        catch (IOException e)
        {
            _logger.ReservationLost(e); // the port serves without: it is for bad times
        }
    }

    // After a time of need, in which the reservation may have been lost.
    private void ReserveAgain()
    {
        if (_reserves)
        {
            DescriptorReservation.Process.TryReserve();
        }
    }

    private void EndReserving()
    {
        if (_reserves)
        {
            _reserves = false;
            DescriptorReservation.Process.RemoveUser();
        }
    }

    /// <summary>Closes a client that came while descriptors are few.</summary>
    private void TurnAway(RawSocket client)
    {
        // What the client has sent already makes the close a reset, which must not overtake the end.
        client.ShutdownSend();
        client.Dispose();
        NoteTurnedAway(1, _logger);
    }

    /// <summary>
    /// The process has no descriptor at all: with the reserved one, closes what waits. False: nobody was reached, or more come than can be
    /// turned away in one go.
    /// </summary>
    private bool TryTurnAwayAll() => DescriptorReservation.Process.TryUse(TurnAwayAll, _logger) && !_acceptable;

    private void TurnAwayAll(ILogger logger)
    {
        int count = 0;
        for (int i = 0; i < MaxTurnedAway && !_closed; i++)
        {
            IoResult result = _channel.Accept(out RawSocket? accepted);
            if (result.IsPending)
            {
                _acceptable = false;
                break;
            }

            if (result.IsOk)
            {
                accepted!.ShutdownSend();
                accepted.Dispose();
                count++;
            }
            else if (!AcceptBackoff.IsOfOneConnection(result.Error))
            {
                break; // somebody else took the descriptor: the next look tries again
            }
        }

        NoteTurnedAway(count, logger);
    }

    // Once for each time of need: there may be a stream of clients.
    private void NoteTurnedAway(int count, ILogger logger)
    {
        if (_turnedAway == 0 && count > 0)
        {
            logger.TurningAway(EndPoint);
        }

        _turnedAway += count;
    }

    private void NoteServed()
    {
        if (_turnedAway > 0)
        {
            _logger.ServingAgain(EndPoint, _turnedAway);
            _turnedAway = 0;
        }
    }
}
