using LoopBridge.Loops;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Loops;

/// <summary>Blocking work beside the loop.</summary>
public sealed class ExecutorTests : LoopContract
{
    [Theory, LoopStacks]
    [Contract("L-FUT-03")]
    public async Task RunInExecutorAsync_Awaited_ContinuesOnTheLoopWithTheOutcome(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        await thread.RunAsync(async loop =>
        {
            int loopThread = Environment.CurrentManagedThreadId;
            int workThread = await loop.RunInExecutorAsync(static () => Environment.CurrentManagedThreadId);
            Assert.NotEqual(loopThread, workThread);
            Assert.True(loop.IsOnLoopThread);
            var mine = new InvalidDataException();
            void Fail() => throw mine;
            Task failing = loop.RunInExecutorAsync(Fail, cancellationToken: TestContext.Current.CancellationToken);
            Assert.Same(mine, await Assert.ThrowsAsync<InvalidDataException>(() => failing));
            Assert.True(loop.IsOnLoopThread);
        });
    }

    [Theory, LoopStacks]
    [Contract("L-FUT-03")]
    public async Task RunInExecutorAsync_ManyBlocking_RunInParallelUpToThePoolSize(LoopStack stack)
    {
        const int Size = 3;
        LoopThread thread = StartLoop(stack);
        using var executor = new ThreadExecutor(Size);
        using var together = new Barrier(Size);
        int running = 0;
        int most = 0;
        await thread.RunAsync(loop => Task.WhenAll(Enumerable.Range(0, Size * 4).Select(_ => loop.RunInExecutorAsync(
            () =>
            {
                int now = Interlocked.Increment(ref running);
                InterlockedMax(ref most, now);
                Assert.True(together.SignalAndWait(Deadline.Default)); // opens only when as many as the pool has are inside
                Interlocked.Decrement(ref running);
            }, executor))));
        Assert.Equal(Size, most);
    }

    [Theory, LoopStacks]
    [Contract("L-FUT-03")]
    public async Task RunInExecutorAsync_WhileItBlocks_TheLoopGoesOn(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        using var release = new ManualResetEventSlim();
        Task<bool> blocked = thread.RunAsync(loop => loop.RunInExecutorAsync(() => release.Wait(Deadline.Default)));
        Assert.True(await thread.Ask(static () => true));
        Assert.False(blocked.IsCompleted);
        release.Set();
        Assert.True(await blocked);
    }

    [Theory, LoopStacks]
    [Contract("L-FUT-04")]
    public async Task DefaultExecutor_Replaced_LaterCallsUseIt(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        using var mine = new ThreadExecutor(1, "mine");
        await thread.RunAsync(async loop =>
        {
            Assert.Same(ThreadExecutor.Shared, loop.DefaultExecutor);
            Assert.NotEqual("mine", await loop.RunInExecutorAsync(static () => Thread.CurrentThread.Name));
            loop.DefaultExecutor = mine;
            Assert.Equal("mine", await loop.RunInExecutorAsync(static () => Thread.CurrentThread.Name));
            Assert.Throws<ArgumentNullException>(() => loop.DefaultExecutor = null!);
            Assert.Same(mine, loop.DefaultExecutor);
        });
        Assert.Same(ThreadExecutor.Shared, NewLoop(stack).DefaultExecutor);
    }

    // Tornado marks methods with a decorator. C# has none that could wrap one, so the executor is an argument: an instance's field, by
    // whatever name, or none for the loop's default.
    [Theory, LoopStacks]
    [Contract("L-FUT-12")]
    public async Task RunInExecutorAsync_ExecutorsOfAnInstance_EachRunsItsMethods(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        using var service = new Service();
        await thread.RunAsync(async loop =>
        {
            Assert.Equal("reads", await service.ReadAsync(loop));
            Assert.Equal("writes", await service.WriteAsync(loop));
            Assert.True(loop.IsOnLoopThread);
        });
    }

    private static void InterlockedMax(ref int target, int value)
    {
        int seen = Volatile.Read(ref target);
        while (seen < value)
        {
            int before = Interlocked.CompareExchange(ref target, value, seen);
            if (before == seen)
            {
                return;
            }

            seen = before;
        }
    }

    private sealed class Service : IDisposable
    {
        private readonly ThreadExecutor _executor = new(1, "reads");
        private readonly ThreadExecutor _slowExecutor = new(1, "writes");

        internal Task<string?> ReadAsync(IEventLoop loop) => loop.RunInExecutorAsync(static () => Thread.CurrentThread.Name, _executor);

        internal Task<string?> WriteAsync(IEventLoop loop)
            => loop.RunInExecutorAsync(static () => Thread.CurrentThread.Name, _slowExecutor);

        public void Dispose()
        {
            _executor.Dispose();
            _slowExecutor.Dispose();
        }
    }
}
