using LoopBridge.Manual;
using LoopBridge.Streams;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Streams.Fuzz;

/// <summary>
/// Random reads of random bytes in random pieces, compared with a plain model. A longer run is one command, and so is the one that failed:
/// <code>
/// LOOPBRIDGE_FUZZ_CASES=1000000 dotnet test test/Transport.Tests --filter ReadFuzzTests
/// LOOPBRIDGE_FUZZ_SEED=1234,5677 dotnet test test/Transport.Tests --filter ReadFuzzTests
/// </code>
/// </summary>
public sealed class ReadFuzzTests
{
    [Fact]
    [Contract("L-STR-03"), Contract("L-STR-04"), Contract("L-STR-05"), Contract("L-STR-07"), Contract("L-STR-08"), Contract("L-STR-09")]
    [Contract("L-STR-10"), Contract("L-STR-11"), Contract("L-STR-13"), Contract("L-STR-14"), Contract("L-STR-17"), Contract("L-STR-18")]
    [Contract("L-STR-27"), Contract("L-STR-54")]
    public void Reads_InAnyMixAndAnyPieces_AnswerAsTheModelDoes() => FuzzRun.Check(1, RunInMemory);

    private static void RunInMemory(FuzzCase fuzzCase)
    {
        using var loop = new ManualLoop();
        (LoopStream peer, LoopStream stream) = loop.CreateStreamPair(new MemoryStreamOptions
        {
            Capacity = fuzzCase.Scale(fuzzCase.Capacity),
            PieceSizes = [.. fuzzCase.Pieces.Select(fuzzCase.Scale)],
        });
        Task sending = loop.Begin(() => SendAsync(peer, fuzzCase));
        loop.Run(() => new FuzzReader(stream, fuzzCase).RunAsync());
        stream.Abort();
        loop.RunUntilComplete(sending);
        Assert.Empty(loop.Exceptions);
    }

    private static async Task SendAsync(LoopStream peer, FuzzCase fuzzCase)
    {
        try
        {
            foreach (ReadOnlyMemory<byte> bytes in fuzzCase.Writes())
            {
                await peer.WriteAsync(bytes);
                for (int i = 0; i < fuzzCase.SendPause; i++)
                {
                    await Task.Yield();
                }
            }
        }
        catch (StreamClosedException)
        {
            return; // the reader met a limit, or is through
        }

        switch (fuzzCase.End)
        {
            case FuzzEnd.Orderly:
                await peer.CloseAsync();
                break;
            case FuzzEnd.Reset:
                peer.Abort();
                break;
        }
    }
}
