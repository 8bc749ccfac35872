namespace LoopBridge.Benchmarks.Results;

/// <summary>Where in the chart a figure's ratio stands, if it does.</summary>
internal enum ChartGroup
{
    None,
    MoreIsBetter, // beside stock sockets, as often per processor time
    BareEpoll,    // beside a server in C that does nothing else, as often per processor time
    LessIsBetter, // beside stock sockets, memory and the like
    Kept,         // beside itself without a disturbance
}
