using LoopBridge.Drivers;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Sockets;

/// <remarks>
/// <para>What to do with clients that a full process cannot serve. Left in the queue they wait, perhaps for as long as they are patient,
/// and are served if descriptors come free: right behind Kestrel, whose clients retry and whose operators watch. Turned away they see an
/// orderly close at once and may go elsewhere: what the reactor contract wants of its ports (R-TCPP-03).</para>
/// <para>Either way the listener then rests, so that a stream of new clients costs one look each tenth of a second and not a core.</para>
/// </remarks>
internal sealed partial class SocketListener
{
    // More than a usual queue (512), and a bound for a flood of clients that come as fast as they are closed.
    private const int MaxTurnedAway = 1024;

    private bool _reserves;

    // False: there is nothing to do it with.
    private bool TryTurnAway() => DescriptorReservation.Process.TryUse(TurnAway, _logger);

    private void TurnAway(ILogger logger)
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

            if (result.IsError)
            {
                if (AcceptBackoff.IsOfOneConnection(result.Error))
                {
                    continue;
                }

                break; // somebody else took the descriptor: the next look tries again
            }

            accepted!.ShutdownSend(); // what the client has sent already makes the close a reset, which must not overtake the end
            accepted.Dispose();
            count++;
        }

        if (count > 0)
        {
            logger.ConnectionsTurnedAway(count, EndPoint);
        }
    }
}
