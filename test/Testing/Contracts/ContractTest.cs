using Microsoft.Extensions.Logging;
using Xunit;
using Xunit.v3;

namespace LoopBridge.Testing;

/// <summary>
/// A test of contract rows. What it made through this class is ended with it, and it fails if descriptors stay open, or if something was
/// logged at warning or above that it did not take.
/// </summary>
[Collection(OneAtATime)]
public abstract class ContractTest : IDisposable
{
    /// <summary>
    /// Nothing runs beside such a test, because it ends with a look at what the whole process holds. Each test project defines the collection
    /// of this name, with parallelization disabled: xUnit heeds no definition but those of the test's own assembly.
    /// </summary>
    public const string OneAtATime = "One at a time";

    private readonly Stack<IDisposable> _owned = new();
    private LeakCheck? _leaks;
    private Exception? _failure;
    private bool _finished;
    private bool _claimed;

    protected ContractTest()
    {
        // Where the definition is missing, tests fail now and then by what others have open at that moment.
        Assert.True(
            TestContext.Current.TestCollection is IXunitTestCollection { DisableParallelization: true },
            $"The test project defines no collection '{OneAtATime}' with parallelization disabled.");
        _leaks = LeakCheck.Begin();
    }

    /// <summary>Everything that the loops and streams of this test log.</summary>
    public LogCollector Log { get; } = new();

    internal string? SkipReason { get; private set; }

    /// <summary>How long descriptors may take to be closed.</summary>
    internal TimeSpan Patience { get; init; } = Deadline.Default;

    /// <summary>Ends with the test, the last one first.</summary>
    public T Own<T>(T resource)
        where T : IDisposable
    {
        _owned.Push(resource);
        return resource;
    }

    /// <summary>Skips the test on this stack; the report shows the reason.</summary>
    public void Skip(string reason)
    {
        SkipReason = reason;
        Assert.Skip(reason);
    }

    /// <summary>As <see cref="Skip"/>, unless the condition holds.</summary>
    public void SkipUnless(bool condition, string reason)
    {
        if (!condition)
        {
            Skip(reason);
        }
    }

    public void Dispose()
    {
        Finish(); // for a test that names no row; otherwise done already
        GC.SuppressFinalize(this);
    }

    /// <summary>Ends what is owned and checks that nothing is left. The same answer each time.</summary>
    internal Exception? Finish()
    {
        if (_finished)
        {
            return _failure;
        }

        _finished = true;
        Attempt(() =>
        {
            while (_owned.TryPop(out IDisposable? resource))
            {
                resource.Dispose();
            }
        });
        while (_owned.TryPop(out IDisposable? rest))
        {
            Attempt(rest.Dispose); // one that failed must not keep the others open
        }

        // After a failure the leftovers are its consequence, and would hide it.
        if (TestContext.Current.TestState?.Result is not TestResult.Failed)
        {
            Attempt(() => _leaks!.Verify(Patience));
            Attempt(() => Assert.Empty(Log.AtLeast(LogLevel.Warning)));
        }

        _leaks = null;
        return _failure;
    }

    /// <summary>Whether the caller is the one to throw the failure, where a test names several rows.</summary>
    internal bool ClaimFailure() => !_claimed && (_claimed = true);

    private void Attempt(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e)
        {
            _failure ??= e; // the first tells most; the attribute throws it
        }
    }
}
