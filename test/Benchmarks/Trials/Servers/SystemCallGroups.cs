namespace LoopBridge.Benchmarks.Trials.Servers;

/// <summary>The kinds of system calls a server makes, for the reader of the whole table.</summary>
internal static class SystemCallGroups
{
    /// <summary>All calls, by the name that is not a call's.</summary>
    public const string Total = "all";

    public static IReadOnlyList<(string Title, IReadOnlyList<string> Calls)> All { get; } =
    [
        ("of them waits", ["epoll_wait", "epoll_pwait"]),
        ("of them receives", ["recvfrom", "recvmsg", "read", "readv"]),
        ("of them sends", ["sendto", "sendmsg", "write", "writev"]),
        ("of them futex", ["futex"]),
        ("of them epoll_ctl", ["epoll_ctl"]),
    ];
}
