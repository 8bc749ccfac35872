using LoopBridge.Loops;

namespace LoopBridge.Processes;

/// <summary>The place of one worker: processes come and go, the task id stays. Loop thread.</summary>
internal sealed class WorkerSlot(int taskId, TimeSpan firstDelay)
{
    internal int TaskId => taskId;

    /// <summary>The worker, while one runs.</summary>
    internal LoopProcess? Process { get; set; }

    /// <summary>When it was started.</summary>
    internal TimeSpan Since { get; set; }

    /// <summary>The wait for its replacement.</summary>
    internal LoopTimeout? Replacement { get; set; }

    /// <summary>How long to wait before the next one.</summary>
    internal TimeSpan Delay { get; private set; } = firstDelay;

    /// <summary>A worker has ended abnormally; gives how long to wait. The next wait is longer, unless this worker lived well.</summary>
    internal TimeSpan NextDelay(TimeSpan now, TimeSpan first, TimeSpan longest)
    {
        if (now - Since > longest)
        {
            Delay = first;
        }

        TimeSpan delay = Delay;
        Delay = delay * 2 < longest ? delay * 2 : longest;
        return delay;
    }
}
