using LoopBridge.Drivers;

namespace LoopBridge.Kestrel;

internal sealed partial class LoopConnection : IOnBehalf
{
    // Kestrel's own, and the application's above it: no transport can tell which.
    object IOnBehalf.Behalf => "The code on the pipes of a connection";

    string IOnBehalf.Label => ConnectionId;
}
