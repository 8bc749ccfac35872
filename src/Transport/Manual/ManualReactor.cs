using LoopBridge.Bridge;

namespace LoopBridge.Manual;

/// <summary>
/// A reactor for tests that nothing drives but the test: it turns when told to, and its clock stands still until it is moved. Descends from
/// Twisted's <c>MemoryReactorClock</c>.
/// </summary>
/// <remarks>
/// <para>It is a whole reactor, the one that every loop has, on a <see cref="ManualLoop"/>: delayed calls, cross-thread calls, system
/// events, descriptors (<see cref="ManualDescriptor"/>), Deferreds and looping calls behave as they do elsewhere, and the turn is the same
/// code. There is no kernel underneath: protocols get a <see cref="MemoryTransport"/>, or are connected with each other by
/// <see cref="MemoryProtocolExtensions.ConnectProtocols"/>. Like every reactor on a loop it starts in its first turn.</para>
/// <para><b>Thread.</b> As of the loop: it belongs to the thread that made it, within turns and between them.</para>
/// <para><b>Exceptions</b> that escape a callback are thrown to the test by whatever ran the turn, when the turn is over.</para>
/// <para>For code that wants a clock and nothing else there is <see cref="ManualReactorClock"/>.</para>
/// </remarks>
/// <example>
/// <code>
/// using var reactor = new ManualReactor();
/// MemoryTransport transport = MemoryTransport.Connect(new GreetingProtocol(), reactor);
/// transport.PeerSends("Ada\n");
/// Assert.Equal("Hello, Ada!\n", transport.TakeText());
///
/// reactor.Advance(TimeSpan.FromMinutes(1));                        // nobody says anything: it hangs up
/// Assert.IsType&lt;ConnectionDoneException&gt;(transport.LossReason);
/// </code>
/// </example>
public sealed class ManualReactor : ReactorOnLoop
{
    /// <summary>Makes a reactor and its loop, which belong to the calling thread. Its time is zero.</summary>
    /// <param name="options">Of the loop. Defaults to the options' defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException"><see cref="ManualLoopOptions.MaxTurns"/> is less than 1.</exception>
    public ManualReactor(ManualLoopOptions? options = null) : base(new ManualLoop(options), logger: null)
        => ReactorExtensions.Introduce(this);

    /// <summary>The loop underneath, with more to see and to do for a test: what is pending, running a task to its end.</summary>
    public new ManualLoop Loop => (ManualLoop)base.Loop;

    private protected override bool IsLoopRunning => Loop.IsInTurn;

    // What comes out of a manual loop is the user's, or says that it is stuck.
    private protected override bool IsRefusal(InvalidOperationException exception) => false;

    /// <inheritdoc cref="ManualLoop.RunTurn"/>
    public void RunTurn() => Loop.RunTurn();

    /// <inheritdoc cref="ManualLoop.RunUntilIdle"/>
    public int RunUntilIdle() => Loop.RunUntilIdle();

    /// <inheritdoc cref="ManualLoop.Advance"/>
    public void Advance(TimeSpan by) => Loop.Advance(by);

    /// <summary>Advances step by step. Descends from the <c>pump</c> of Twisted's <c>Clock</c>.</summary>
    /// <param name="steps">How far, each time; not negative.</param>
    /// <inheritdoc cref="ManualLoop.Advance" path="/exception"/>
    public void Pump(params IEnumerable<TimeSpan> steps)
    {
        ArgumentNullException.ThrowIfNull(steps);
        foreach (TimeSpan step in steps)
        {
            Advance(step);
        }
    }

    /// <summary>
    /// Shuts the reactor down, without waiting for tasks of its triggers, and closes its loop. Harmless when repeated. Throws nothing of
    /// what user code throws meanwhile, so that it does not hide a failed assertion: look at <see cref="ManualLoop.Exceptions"/>.
    /// </summary>
    /// <exception cref="InvalidOperationException">A turn is running.</exception>
    public override void Dispose()
    {
        base.Dispose();
        Loop.Dispose();
    }
}
