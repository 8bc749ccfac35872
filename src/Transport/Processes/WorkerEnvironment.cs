namespace LoopBridge.Processes;

/// <summary>How a launcher speaks to its workers.</summary>
/// <remarks>
/// In the manner of systemd's LISTEN_FDS (sd_listen_fds(3)), whose LISTEN_PID nobody can know before the worker exists. Instead the
/// variables are taken out of the environment when they are read, and never copied to children of a <see cref="LoopProcess"/>.
/// </remarks>
internal static class WorkerEnvironment
{
    internal const string TaskIdVariable = "LOOPBRIDGE_TASK_ID";
    internal const string SocketsVariable = "LOOPBRIDGE_LISTEN_FDS";

    /// <summary>The first listening socket's number in a worker, as with systemd.</summary>
    internal const int FirstSocket = 3;
}
