namespace LoopBridge.Middleware.Tests.Handlers;

/// <summary>What carries a handler's bytes.</summary>
public enum Carrier
{
    Socket,
    Tls,
    Logging,
    StockSockets,
    Memory,
    WebSocket,
}

public enum Style
{
    Reactor,
    Loop,
}

/// <summary>The rows of the behaviour suite: every handler behaves the same, whatever carries it.</summary>
public sealed class HandlerCases : TheoryData<Carrier, Style, LoopBridgeMode, LoopDriver>
{
    public HandlerCases()
    {
        foreach (LoopBridgeMode mode in Enum.GetValues<LoopBridgeMode>())
        {
            foreach (Style style in Enum.GetValues<Style>())
            {
                Add(Carrier.Socket, style, mode, LoopDriver.Auto);
                Add(Carrier.Socket, style, mode, LoopDriver.Managed);
                Add(Carrier.Tls, style, mode, LoopDriver.Auto);
                Add(Carrier.Logging, style, mode, LoopDriver.Auto);
                Add(Carrier.StockSockets, style, mode, LoopDriver.Auto);
                Add(Carrier.Memory, style, mode, LoopDriver.Auto);
            }

            Add(Carrier.WebSocket, Style.Reactor, mode, LoopDriver.Auto);
        }
    }
}
