namespace LoopBridge.Loops;

/// <summary>
/// What one thread of a group runs: a loop, and whatever is native beneath it. A group knows loops; what they stand on is for those rooms
/// to say that know more. It is disposed of after its run, or where there was none.
/// </summary>
internal interface ILoopEngine : IDisposable
{
    /// <summary>What the thread is called by, and the loop in logs.</summary>
    string Name { get; }

    /// <summary>The loop. Nobody but the group may close it.</summary>
    IEventLoop Loop { get; }

    /// <summary>What it is doing, and who has it. Any thread.</summary>
    LoopActivity Activity { get; }

    /// <summary>Any thread.</summary>
    LoopStatistics GetStatistics();

    /// <summary>Runs <paramref name="guest"/> when the callback or handler that runs now has returned. Loop thread.</summary>
    /// <exception cref="InvalidOperationException">The loop runs on another thread, or a guest has this one.</exception>
    void Invite(ILoopGuest guest);

    /// <summary>Turns on the calling thread until <see cref="Stop"/>, whoever else stops the loop.</summary>
    /// <returns>False: a guest has cost the calling thread the loop, which goes on elsewhere.</returns>
    bool Run();

    /// <summary>
    /// As <see cref="Run"/>, on a thread that has taken the loop from a guest (<see cref="LoopActivity.TryTake"/>): tells that, and goes on
    /// in the middle of the turn.
    /// </summary>
    bool GoOn();

    /// <summary>Ends <see cref="Run"/> with the present turn; one that has yet to begin ends with its first. Any thread.</summary>
    void Stop();
}
