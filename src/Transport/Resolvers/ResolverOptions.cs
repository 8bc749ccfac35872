using Microsoft.Extensions.Options;

namespace LoopBridge.Resolvers;

/// <summary>Settings of the resolvers; each says which of them heed it. Read once, when a resolver is made.</summary>
public sealed class ResolverOptions
{
    // Far below what timers and waits accept, about 24 and 49 days.
    private static readonly TimeSpan LongestTime = TimeSpan.FromDays(1);

    /// <summary>
    /// How long one call may take, over everything it does: waiting for a thread, search suffixes, servers, retries. After that it fails
    /// with <see cref="NameResolutionFailure.Timeout"/>. More than zero, at most one day. Defaults to 10 seconds.
    /// </summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How many calls may wait for an answer at the same time; one more fails at once with <see cref="NameResolutionFailure.Busy"/>.
    /// Calls answered without asking anybody, such as for an IP address, do not count. 1 to 1,000,000. Defaults to 4,096.
    /// </summary>
    public int MaxWaitingCallers { get; set; } = 4096;

    /// <summary>
    /// How many threads the threaded resolver may use, and so how many names are looked up at once; more wait in line. The threaded
    /// resolvers of a process share their threads: the first of them decides. 1 to 1,000. Defaults to 10.
    /// </summary>
    public int MaxThreads { get; set; } = 10;

    /// <summary>
    /// How long a thread of the threaded resolver stays with nothing to do before it ends. The first resolver decides, as in
    /// <see cref="MaxThreads"/>. Zero to one day. Defaults to 30 seconds.
    /// </summary>
    public TimeSpan ThreadIdleTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Checks all settings and tells everything that is wrong at once.</summary>
    /// <exception cref="OptionsValidationException">A setting is out of its range.</exception>
    public void Validate()
    {
        List<string> failures = [];
        if (Timeout <= TimeSpan.Zero || Timeout > LongestTime)
            failures.Add($"{nameof(Timeout)} must be more than zero and at most {LongestTime}, but is {Timeout}.");
        if (MaxWaitingCallers is < 1 or > 1_000_000)
            failures.Add($"{nameof(MaxWaitingCallers)} must be from 1 to 1000000, but is {MaxWaitingCallers}.");
        if (MaxThreads is < 1 or > 1_000)
            failures.Add($"{nameof(MaxThreads)} must be from 1 to 1000, but is {MaxThreads}.");
        if (ThreadIdleTimeout < TimeSpan.Zero || ThreadIdleTimeout > LongestTime)
            failures.Add($"{nameof(ThreadIdleTimeout)} must be from zero to {LongestTime}, but is {ThreadIdleTimeout}.");
        if (failures.Count > 0)
            throw new OptionsValidationException(nameof(ResolverOptions), typeof(ResolverOptions), failures);
    }
}
