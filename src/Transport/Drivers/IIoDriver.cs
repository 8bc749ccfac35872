using System.Runtime.InteropServices;

namespace LoopBridge.Drivers;

/// <summary>
/// One loop's way to the kernel: it says what is ready or done, wakes, and waits. Three mechanisms stand behind this contract, each in its
/// own folder with the same outline: Epoll (readiness, edge-triggered for sockets), Managed (readiness through <c>System.Net.Sockets</c>)
/// and, later, io_uring (completion).
/// </summary>
/// <remarks>
/// <para>The contract, which tests run against every driver:</para>
/// <list type="bullet">
/// <item>All members but <see cref="Wake"/> belong to the loop's thread. <see cref="Wake"/> may come from anywhere, at any time, also after
/// dispose.</item>
/// <item><see cref="Wait"/> collects; <see cref="DispatchNext"/> hands over one collected event and returns false when none is left. The
/// cursor lives in the driver and moves before the call, so a handler that throws, or a thread that takes the loop over in mid-turn, goes
/// on with the next event.</item>
/// <item>A registration holds a reference on its handle. An event that was collected for a registration which has been removed since is
/// dropped by its generation, even if the same number was registered again in between.</item>
/// <item><see cref="IOnBehalf.Behalf"/> is the handler that <see cref="DispatchNext"/> called last, until the next wait, while which
/// nothing of a user's is kept alive.</item>
/// <item>Errors and hang-ups are reported whatever the interest, but never twice without something new having happened on an
/// <see cref="IoTrigger.OnChange"/> registration: a paused connection must not spin the loop.</item>
/// </list>
/// <para>A driver that completes operations fits the same contract, because the engine never asks "is it readable": it asks a channel
/// (<see cref="IStreamChannel"/>) to receive or send and may be told <see cref="IoResult.Pending"/>. <c>README.md</c> in this folder says
/// operation by operation how, and what is still lacking.</para>
/// </remarks>
internal interface IIoDriver : ISocketDriver, IOnBehalf, IDisposable
{
    /// <summary>For logs and statistics: <c>epoll</c>, <c>managed</c>.</summary>
    string Name { get; }

    /// <summary>Watches any descriptor that the mechanism supports.</summary>
    /// <exception cref="IOException">The mechanism refused it, for example a regular file.</exception>
    IoRegistration Add(SafeHandle descriptor, IoEvents interest, IoTrigger trigger, IIoHandler handler);

    /// <summary>
    /// Gives the kernel what was begun since the last time, if the mechanism gathers that, and waits until something happened,
    /// <see cref="Wake"/> was called, or the time is over; zero polls, negative waits without end.
    /// </summary>
    void Wait(TimeSpan timeout);

    /// <summary>Dispatches the next event of the last <see cref="Wait"/>. Exceptions of the handler pass through.</summary>
    bool DispatchNext();

    /// <summary>Makes the present or the next <see cref="Wait"/> return at once. Any thread.</summary>
    void Wake();
}

/// <summary>How often a condition that holds is reported.</summary>
internal enum IoTrigger : byte // there is one in each registration
{
    /// <summary>In every wait while it holds (level-triggered).</summary>
    WhileReady,

    /// <summary>
    /// When it begins to hold, and again after <see cref="IoRegistration.Arm"/> if it holds then (edge-triggered). The user goes on until
    /// an operation would block, then arms.
    /// </summary>
    OnChange,

    /// <summary>
    /// In whichever of the two ways costs the mechanism less, with no need to arm. The user goes on until an operation would block, and
    /// bears with reports that tell nothing new.
    /// </summary>
    Any,
}

internal interface IIoHandler
{
    /// <summary>Loop thread.</summary>
    void OnEvents(IoEvents events);
}

/// <summary>One watched descriptor of one driver.</summary>
internal abstract class IoRegistration
{
    /// <summary>Changes what a <see cref="IoTrigger.WhileReady"/> registration waits for.</summary>
    internal abstract void Update(IoEvents interest);

    /// <summary>An operation would have blocked: tell when to try again. Free where the kernel keeps edges by itself.</summary>
    internal abstract void Arm(IoEvents direction);

    /// <summary>Ends the watch before the descriptor is closed. Harmless when repeated.</summary>
    internal abstract void Remove();
}
