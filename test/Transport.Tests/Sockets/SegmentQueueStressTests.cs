using System.Buffers;
using LoopBridge.Sockets;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Sockets;

public sealed class SegmentQueueStressTests
{
    private const long Total = 48L << 20;

    // A consumer that keeps up empties the queue all the time, which is where the two sides fight for the tail; one that lags meets long
    // chains.
    [Theory]
    [InlineData(1, 40, 64)]
    [InlineData(2, 300, 64)]
    [InlineData(3, 5000, 4096)]
    [InlineData(4, 20, 4096)]
    public async Task TwoThreads_RandomSizes_BytesInOrderAndAllBlocksBack(int seed, int largest, int blockSize)
    {
        using var pool = new CountingPool(blockSize);
        var queue = new SegmentQueue(pool, blockSize);
        long total = Math.Min(Total, largest * 60_000L);
        Task producer = Task.Factory.StartNew(() => Produce(queue, new Random(seed), total, largest), TaskCreationOptions.LongRunning);
        Task consumer = Task.Factory.StartNew(() => Consume(queue, new Random(-seed), total), TaskCreationOptions.LongRunning);

        await Task.WhenAll(producer, consumer).WithDeadline();

        queue.ReleaseIfEmpty();
        Assert.Equal(0, queue.Length);
        Assert.Equal(0, pool.Outstanding);
    }

    private static void Produce(SegmentQueue queue, Random random, long total, int largest)
    {
        for (long position = 0; position < total;)
        {
            int count = (int)Math.Min(random.Next(largest + 1), total - position);
            if (random.Next(2) == 0)
            {
                queue.Write(Pattern.At(position, count).Span);
            }
            else
            {
                Memory<byte> room = queue.GetMemory(random.Next(8) == 0 ? largest * 2 : 0);
                count = Math.Min(count, room.Length);
                Pattern.At(position, count).CopyTo(room);
                queue.Advance(count);
            }

            position += count;
            if (random.Next(3) != 0)
            {
                queue.Commit();
            }

            // Let the other side get ahead, or pile something up for it.
            if (random.Next(64) == 0)
            {
                SpinWait.SpinUntil(() => queue.Length == 0, TimeSpan.FromMilliseconds(1));
            }
        }

        queue.Commit();
    }

    private static void Consume(SegmentQueue queue, Random random, long total)
    {
        var buffers = new ReadOnlyMemory<byte>[5];
        for (long position = 0; position < total;)
        {
            long available = 0;
            if (random.Next(2) == 0)
            {
                ReadOnlySequence<byte> all = queue.Peek();
                foreach (ReadOnlyMemory<byte> piece in all)
                {
                    Assert.True(Pattern.Matches(position + available, piece.Span), $"Other bytes at {position + available}.");
                    available += piece.Length;
                }
            }
            else
            {
                int count = queue.Peek(buffers);
                for (int i = 0; i < count; i++)
                {
                    Assert.True(Pattern.Matches(position + available, buffers[i].Span), $"Other bytes at {position + available}.");
                    available += buffers[i].Length;
                }
            }

            long consumed = random.Next(3) == 0 ? random.NextInt64(available + 1) : available;
            queue.Consume(consumed);
            position += consumed;
            if (available == 0)
            {
                Thread.Yield();
            }
        }
    }
}
