using LoopBridge.Loops;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Loops;

/// <summary>Work that has nothing to do with its caller any more.</summary>
public sealed class SpawnTests : LoopContract
{
    private readonly AsyncLocal<string?> _ambient = new();

    // The loop is started under an ambient context of its own, which is no more the callback's than the caller's.
    [Theory, LoopStacks]
    [Contract("L-CB-07")]
    public void SpawnCallback_AmbientContext_IsNobodys(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        var seen = new List<string?>();
        _ambient.Value = "caller";
        Assert.True(loop.SpawnCallback(() =>
        {
            seen.Add(_ambient.Value);
            _ambient.Value = "spawned";
            loop.AddCallback(() => seen.Add(_ambient.Value));
        }));
        Assert.True(loop.SpawnCallback(async () =>
        {
            seen.Add(_ambient.Value);
            await Task.Yield();
            seen.Add(_ambient.Value);
            Assert.True(loop.IsOnLoopThread);
        }));
        using (ExecutionContext.SuppressFlow())
        {
            loop.SpawnCallback(() => seen.Add(_ambient.Value));
        }

        Assert.False(ExecutionContext.IsFlowSuppressed());
        _ambient.Value = "starter";
        loop.RunTurns(2);
        Assert.Equal([null, null, null, "spawned", null], seen);
        Assert.Equal("starter", _ambient.Value);
    }

    [Theory, LoopStacks]
    [Contract("L-CB-07")]
    public void SpawnCallback_Throws_IsLoggedAndNotTheCallers(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        bool wentOn = false;
        loop.AddCallback(() =>
        {
            loop.SpawnCallback(static () => throw new InvalidDataException());
            loop.SpawnCallback(static async () =>
            {
                await Task.Yield();
                throw new InvalidDataException();
            });
            wentOn = true;
        });
        loop.RunTurns(4);
        Assert.True(wentOn);
        IReadOnlyList<LogEntry> errors = Log.Take(LogLevel.Error);
        Assert.Equal(2, errors.Count);
        Assert.All(errors, static entry => Assert.IsType<InvalidDataException>(entry.Exception));
    }
}
