using System.Runtime.CompilerServices;
using LoopBridge.Deferreds;
using LoopBridge.Testing;

namespace LoopBridge.Middleware.Tests.Hosting;

/// <summary>A Deferred that fails with nobody looking is told to the application's log.</summary>
/// <remarks>Alone, because it is told to every application of the process, and the others' tests want their logs clean.</remarks>
[Collection(nameof(UnhandledDeferredTests))]
[CollectionDefinition(nameof(UnhandledDeferredTests), DisableParallelization = true)]
public sealed class UnhandledDeferredTests
{
    [Theory, ClassData(typeof(Modes))]
    [Contract("R-DEF-13")]
    public async Task Failure_ThatNobodyHandled_IsLoggedByTheHost(LoopBridgeMode mode)
    {
        await using LoopBridgeServer server = await LoopBridgeServer.StartAsync(mode, LoopDriver.Auto);
        string message = Guid.NewGuid().ToString();

        FailUnseen(message);

        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return server.Logs.Entries.Any(entry => entry.Id.Id == 500 && entry.Exception?.Message == message);
            },
            Deadline.Default));
    }

    // Not inlined: the Deferred must be garbage when it returns.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void FailUnseen(string message) => new Deferred<int>().Errback(new InvalidOperationException(message));
}
