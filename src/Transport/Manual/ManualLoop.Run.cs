using System.Globalization;

namespace LoopBridge.Manual;

/// <remarks>What a test drives it with, made of turns and of moves of the clock.</remarks>
public sealed partial class ManualLoop
{
    /// <summary>Runs turns until one would find nothing to do. The clock stays, so that timeouts of later are left alone.</summary>
    /// <returns>How many turns it took.</returns>
    /// <exception cref="ManualLoopStuckException">
    /// After <see cref="ManualLoopOptions.MaxTurns"/> turns there is still something to do: code schedules itself again and again.
    /// </exception>
    public int RunUntilIdle()
    {
        ThrowIfInTurn();
        long before = Turns;
        Settle();
        return (int)(Turns - before);
    }

    /// <summary>
    /// Moves the clock forward, with all that happens meanwhile: runs turns until idle, goes on to the next deadline and so on, so that
    /// each timeout runs at its own time, and so do those that are added on the way. Ends idle, at the new time.
    /// </summary>
    /// <param name="by">How far; not negative. Zero is <see cref="RunUntilIdle"/>.</param>
    /// <exception cref="ManualLoopStuckException">There is always something to do at one and the same time.</exception>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        ThrowIfInTurn();
        TimeSpan target = by > TimeSpan.MaxValue - Time ? TimeSpan.MaxValue : Time + by;
        while (Settle())
        {
            if (NextDeadline is not { } next || next > target)
            {
                _clock.MoveTo(target);
                return;
            }

            _clock.MoveTo(next);
        }
    }

    /// <summary>
    /// Begins <paramref name="function"/> in the next turn, as loop code: it goes on there after each <c>await</c>. Nothing runs until the
    /// test runs turns.
    /// </summary>
    /// <param name="function">Called once, on the loop.</param>
    /// <returns>Its task. It never ends if the loop is closed first.</returns>
    public Task<T> Begin<T>(Func<Task<T>> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return Task.Factory.StartNew(
            () => function() ?? throw NoTask(), CancellationToken.None, TaskCreationOptions.HideScheduler, Scheduler).Unwrap();
    }

    /// <inheritdoc cref="Begin{T}"/>
    public Task Begin(Func<Task> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return Task.Factory.StartNew(
            () => function() ?? throw NoTask(), CancellationToken.None, TaskCreationOptions.HideScheduler, Scheduler).Unwrap();
    }

    /// <summary>
    /// Runs <paramref name="function"/> as loop code, and turns until its task is done; gives its result or throws its exception.
    /// </summary>
    /// <param name="function">Called once, on the loop, where it goes on after each <c>await</c>.</param>
    /// <param name="advanceClock">
    /// Whether the clock may jump to the next deadline when there is nothing else to do. Defaults to no: then code that waits for the
    /// clock is a deadlock here, and the message says so.
    /// </param>
    /// <exception cref="ManualLoopStuckException">
    /// Nothing is left to do and the task is not done (a deadlock), or <see cref="ManualLoopOptions.MaxTurns"/> turns were run.
    /// </exception>
    /// <exception cref="InvalidOperationException">A turn is running, or the loop was stopped before the task was done.</exception>
    public T Run<T>(Func<Task<T>> function, bool advanceClock = false) => RunUntilComplete(Begin(function), advanceClock);

    /// <inheritdoc cref="Run{T}"/>
    public void Run(Func<Task> function, bool advanceClock = false) => RunUntilComplete(Begin(function), advanceClock);

    /// <summary>
    /// Runs turns until <paramref name="task"/> is done, and gives its result or throws its exception. A task that is done needs no turn.
    /// </summary>
    /// <param name="task">Of something that happens on this loop.</param>
    /// <param name="advanceClock"><inheritdoc cref="Run{T}" path="/param[@name='advanceClock']"/></param>
    /// <exception cref="ManualLoopStuckException">
    /// Nothing is left to do and the task is not done (a deadlock), or <see cref="ManualLoopOptions.MaxTurns"/> turns were run.
    /// </exception>
    /// <exception cref="InvalidOperationException">A turn is running, or the loop was stopped before the task was done.</exception>
    public T RunUntilComplete<T>(Task<T> task, bool advanceClock = false)
    {
        RunUntilComplete((Task)task, advanceClock);
        return task.GetAwaiter().GetResult();
    }

    /// <inheritdoc cref="RunUntilComplete{T}"/>
    public void RunUntilComplete(Task task, bool advanceClock = false)
    {
        ArgumentNullException.ThrowIfNull(task);
        ThrowIfInTurn();
        for (int turns = 0; !task.IsCompleted; turns++)
        {
            if (TakeStop())
            {
                throw new InvalidOperationException($"The loop '{Name}' was stopped before the task was done.");
            }

            if (IsIdle && !(advanceClock && JumpToNextDeadline()))
            {
                throw Deadlock("A task is awaited that is not done");
            }

            ThrowIfTooMany(turns, "A task is awaited that is not done");
            RunTurn();
        }

        task.GetAwaiter().GetResult();
    }

    // False: stopped on the way.
    private bool Settle()
    {
        bool stopped = TakeStop();
        for (int turns = 0; !stopped && !IsIdle; turns++)
        {
            ThrowIfTooMany(turns, "A turn with nothing to do is awaited");
            RunTurn();
            stopped = TakeStop();
        }

        return !stopped;
    }

    private static InvalidOperationException NoTask() => new("The function returned no task.");

    private void ThrowIfInTurn()
    {
        if (_inTurn)
        {
            throw new InvalidOperationException($"The loop '{Name}' is in a turn: only the test that runs it can run it further.");
        }
    }

    // "For ever" is a deadline that never comes.
    private bool JumpToNextDeadline()
    {
        if (NextDeadline is not { } next || next == TimeSpan.MaxValue)
        {
            return false;
        }

        _clock.MoveTo(next);
        return true;
    }

    private void ThrowIfTooMany(int turns, string waiting)
    {
        if (turns >= _maxTurns)
        {
            throw new ManualLoopStuckException(
                $"{waiting}, but after {turns} turns the loop '{Name}' still has something to do: {Describe()} Something schedules itself "
                + $"again and again, or {nameof(ManualLoopOptions)}.{nameof(ManualLoopOptions.MaxTurns)} is too low.");
        }
    }

    private ManualLoopStuckException Deadlock(string waiting) => new(
        $"{waiting}, and nothing is left to do on the loop '{Name}', a deadlock: {Describe()} It waits for what only the test can bring "
        + "about: bytes or the end on a stream in memory, a descriptor made ready, the clock (Advance, or advanceClock: true), or another "
        + "thread, for which a manual loop does not wait.");

    private string Describe()
    {
        string deadline = NextDeadline is not { } next || next == TimeSpan.MaxValue ? ""
            : string.Create(CultureInfo.InvariantCulture, $", the next one in {next - Time} at {next}");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"the clock is at {Time}, callbacks queued: {PendingCallbacks}, timeouts pending: {PendingTimeouts}{deadline}.");
    }
}
