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
public sealed class HandlerCases : TheoryData<Carrier, Style, LoopDriver>
{
    public HandlerCases()
    {
        foreach (Style style in Enum.GetValues<Style>())
        {
            Add(Carrier.Socket, style, LoopDriver.Auto);
            Add(Carrier.Socket, style, LoopDriver.Managed);
            Add(Carrier.Tls, style, LoopDriver.Auto);
            Add(Carrier.Logging, style, LoopDriver.Auto);
            Add(Carrier.StockSockets, style, LoopDriver.Auto);
            Add(Carrier.Memory, style, LoopDriver.Auto);
        }

        Add(Carrier.WebSocket, Style.Reactor, LoopDriver.Auto);
    }
}
