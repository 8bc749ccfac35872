using System.Runtime.CompilerServices;
using LoopBridge.Coordination;
using LoopBridge.Deferreds;
using LoopBridge.Loops;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Coordination;

/// <summary>What C# itself gives, held to the contract on a loop.</summary>
public sealed class AsyncFunctionTests : LoopContract
{
    [Theory, LoopStacks]
    [Contract("L-GEN-01")]
    public Task AsyncFunction_RunsToItsFirstIncompleteAwaitAndNeverThrows(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var gate = new TaskCompletionSource();
        var order = new List<string>();
        Task<int> running = RunAsync(fails: false);
        order.Add("called");
        gate.SetResult();
        Assert.Equal(3, await running);
        Assert.Equal(["began", "called", "went on"], order);

        Task<int> failing = RunAsync(fails: true);
        await Assert.ThrowsAsync<FormatException>(() => failing);
        Task<int> failed = FailAtOnceAsync();
        await Assert.ThrowsAsync<FormatException>(() => failed);

        async Task<int> RunAsync(bool fails)
        {
            order.Add("began");
            await Task.CompletedTask;
            await gate.Task;
            await loop.Moment();
            order.Add("went on");
            return fails ? throw new FormatException() : 3;
        }

        static async Task<int> FailAtOnceAsync()
        {
            await Task.CompletedTask;
            throw new FormatException();
        }
    });

    [Theory, LoopStacks]
    [Contract("L-GEN-10")]
    public Task Await_Failures_CanBeCaughtReplacedAndSwallowed(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        Assert.Equal("went on", await SwallowAsync());
        ArgumentException replaced = await Assert.ThrowsAsync<ArgumentException>(ReplaceAsync);
        Assert.IsType<FormatException>(replaced.InnerException);

        async Task<string> SwallowAsync()
        {
            try
            {
                await FailAsync();
            }
            catch (FormatException)
            {
                // The one that was awaited, and the next await works.
                await loop.Moment();
            }

            Assert.True(loop.IsOnLoopThread);
            return "went on";
        }

        async Task ReplaceAsync()
        {
            try
            {
                await FailAsync();
            }
            catch (FormatException e)
            {
                throw new ArgumentException("replaced", e); // the outcome of the function
            }
        }

        async Task FailAsync()
        {
            await loop.Moment();
            throw new FormatException();
        }
    });

    [Theory, LoopStacks]
    [Contract("L-GEN-11")]
    public async Task Suspended_IsKeptAliveByWhatItWaitsFor(LoopStack stack)
    {
        var clock = new ManualTimeProvider();
        LoopThread thread = StartLoop(stack, clock);
        await thread.RunAsync(async loop =>
        {
            var queue = new LoopQueue<int>(loop);
            var deferred = new Deferred<int>();
            var done = new List<string>();
            BeginAll(loop, queue, deferred, done);
            await loop.SettleAsync();
            Collect();
            queue.PutNow(1);
            deferred.Callback(1);
            await loop.PassAsync(clock, 1.Seconds());
            Assert.Equal(["deferred", "queue", "sleep"], done.Order());
        });

        // Nobody holds the Tasks of these functions.
        [MethodImpl(MethodImplOptions.NoInlining)]
        static void BeginAll(IEventLoop loop, LoopQueue<int> queue, Deferred<int> deferred, List<string> done)
        {
            _ = NoteAsync("queue", async () => await queue.GetAsync());
            _ = NoteAsync("deferred", async () => await deferred);
            _ = NoteAsync("sleep", async () => await loop.SleepAsync(1.Seconds()));

            async Task NoteAsync(string name, Func<Task> wait)
            {
                await wait();
                done.Add(name);
            }
        }
    }

    [Theory, LoopStacks]
    [Contract("L-GEN-11")]
    public async Task Finished_IsCollectable(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        WeakReference[] weak = await thread.RunAsync(RunSomeAsync);
        await thread.Do(static () => { }); // the loop's last callback is another one now
        Assert.True(SpinWait.SpinUntil(() =>
        {
            Collect();
            return weak.All(static reference => !reference.IsAlive);
        }, Deadline.Default));

        static async Task<WeakReference[]> RunSomeAsync(IEventLoop loop)
        {
            WeakReference[] made = [Begin(loop), Begin(loop), Begin(loop)];
            await loop.SettleAsync();
            return made;
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        static WeakReference Begin(IEventLoop loop)
        {
            object payload = new();
            Task running = UseAsync();
            Assert.False(running.IsCompleted);
            return new WeakReference(payload);

            async Task UseAsync()
            {
                await loop.Moment();
                using var cancellation = new CancellationTokenSource();
                await loop.SleepAsync(TimeSpan.Zero, cancellation.Token);
                GC.KeepAlive(payload);
            }
        }
    }

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
    }
}
