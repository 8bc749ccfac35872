namespace LoopBridge.Processes;

/// <summary>How <see cref="WorkerProcesses"/> run.</summary>
public sealed class WorkerProcessesOptions
{
    /// <summary>Names the program that each worker runs.</summary>
    /// <param name="program">
    /// What to start; read for each start. The launcher adds to it what <see cref="WorkerProcess"/> reads in the worker. Of its
    /// <see cref="LoopProcessStartInfo.ExtraDescriptors"/> the numbers from 3 on belong to the listening sockets.
    /// </param>
    public WorkerProcessesOptions(LoopProcessStartInfo program)
    {
        ArgumentNullException.ThrowIfNull(program);
        Program = program;
    }

    /// <summary>The program that each worker runs.</summary>
    public LoopProcessStartInfo Program { get; }

    /// <summary>How many workers. Defaults to the number of processors.</summary>
    public int Count { get; set; } = Environment.ProcessorCount;

    /// <summary>
    /// How many workers that ended abnormally are replaced, all together, before the launcher gives up. Defaults to 100, Tornado's
    /// <c>max_restarts</c>.
    /// </summary>
    public int MaxRestarts { get; set; } = 100;

    /// <summary>
    /// How long to wait before a worker is replaced for the first time; doubled each time that the new one ends soon again. Defaults to 100
    /// ms.
    /// </summary>
    public TimeSpan RestartDelay { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// The longest such wait; a worker that lived longer counts as a good one, and is replaced after <see cref="RestartDelay"/> again.
    /// Defaults to 5 seconds.
    /// </summary>
    public TimeSpan MaxRestartDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long workers may take to end after they were asked to (SIGTERM), before they are killed. Defaults to 30 seconds, as long as a
    /// .NET host takes to stop.
    /// </summary>
    public TimeSpan ShutdownTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Told of each worker that was started, replacements too, with its task id. If it has pipes, they are the callback's to read and
    /// close. On the loop's thread. Defaults to none.
    /// </summary>
    public Action<int, LoopProcess>? Started { get; set; }

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(Count);
        ArgumentOutOfRangeException.ThrowIfNegative(MaxRestarts);
        ArgumentOutOfRangeException.ThrowIfLessThan(RestartDelay, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxRestartDelay, RestartDelay);
        ArgumentOutOfRangeException.ThrowIfLessThan(ShutdownTimeout, TimeSpan.Zero);
    }
}
