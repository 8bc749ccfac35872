using System.Runtime.CompilerServices;

namespace LoopBridge.Testing;

/// <summary>
/// One bound for every wait in the tests. It is generous, so that it says "stuck" and never "slow": a loaded two-core machine must pass.
/// </summary>
/// <remarks>A task that fails with a time-out of its own fails with that one.</remarks>
public static class Deadline
{
    public static readonly TimeSpan Default = TimeSpan.FromSeconds(30);

    public static async Task WithDeadline(this Task task, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        try
        {
            await task.WaitAsync(Default).ConfigureAwait(false);
        }
        catch (TimeoutException) when (!task.IsCompleted)
        {
            throw Stuck(file, line);
        }
    }

    public static async Task<T> WithDeadline<T>(this Task<T> task, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        try
        {
            return await task.WaitAsync(Default).ConfigureAwait(false);
        }
        catch (TimeoutException) when (!task.IsCompleted)
        {
            throw Stuck(file, line);
        }
    }

    public static Task WithDeadline(this ValueTask task, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
        => task.AsTask().WithDeadline(file, line);

    public static Task<T> WithDeadline<T>(this ValueTask<T> task, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
        => task.AsTask().WithDeadline(file, line);

    private static TimeoutException Stuck(string file, int line)
        => new($"Nothing happened for {Default.TotalSeconds} s at {Path.GetFileName(file)}:{line}.");
}
