using System.Runtime.InteropServices;
using LoopBridge.Loops;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Loops;

/// <summary>Callbacks added by handlers of signals that the kernel delivers.</summary>
public sealed partial class SignalTests : LoopContract
{
    // Nobody minds this one: by default it is ignored.
    private const int WindowChanged = 28; // SIGWINCH, on Linux as on macOS

    [Theory, LoopStacks]
    [Contract("L-CB-08")]
    public async Task AddCallbackFromSignal_IdleLoop_RunsOnTheLoopAndWakesIt(LoopStack stack)
    {
        SkipUnless(!OperatingSystem.IsWindows(), "Windows sends no signals between processes");
        LoopThread thread = StartLoop(stack);
        for (int i = 0; i < 10; i++)
        {
            await thread.Do(static () => { });
            var ran = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            using PosixSignalRegistration registration = PosixSignalRegistration.Create(
                (PosixSignal)WindowChanged, _ => thread.Loop.AddCallbackFromSignal(() => ran.TrySetResult(thread.Loop.IsOnLoopThread)));
            Assert.Equal(0, Kill(Environment.ProcessId, WindowChanged));
            Assert.True(await ran.Task.WithDeadline());
        }
    }

    // The loop's thread stands in the middle of adding callbacks when the signals come.
    [Theory, LoopStacks]
    [Contract("L-CB-08")]
    public async Task AddCallbackFromSignal_BusyLoop_TakesNoLockThatItHolds(LoopStack stack)
    {
        SkipUnless(!OperatingSystem.IsWindows(), "Windows sends no signals between processes");
        LoopThread thread = StartLoop(stack);
        int heard = 0;
        using PosixSignalRegistration registration = PosixSignalRegistration.Create(
            (PosixSignal)WindowChanged, _ => thread.Loop.AddCallbackFromSignal(() => heard++));
        bool quiet = false;
        void Again()
        {
            for (int i = 0; i < 100; i++)
            {
                thread.Loop.AddCallback(static () => { });
            }

            if (!Volatile.Read(ref quiet))
            {
                thread.Loop.AddCallback(Again);
            }
        }

        thread.Loop.AddCallback(Again);

        // Signals of one kind do not queue: each is heard before the next is sent.
        for (int i = 1; i <= 50; i++)
        {
            Assert.Equal(0, Kill(Environment.ProcessId, WindowChanged));
            Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref heard) == i, Deadline.Default));
        }

        Volatile.Write(ref quiet, true);
        Assert.Equal(50, await thread.Ask(() => heard));
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
