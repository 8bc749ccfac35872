using System.Buffers;
using LoopBridge.Sockets;

namespace LoopBridge.Transport.Tests.Sockets;

public sealed class SegmentQueueTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 20)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void RandomOperations_AgainstPlainList_SameBytesAndNothingHeldWhenEmpty(int seed)
    {
        var random = new Random(seed);
        using var pool = new CountingPool(64);
        var queue = new SegmentQueue(pool, blockSize: 64);
        var model = new List<byte>();
        var pending = new List<byte>();
        var buffers = new ReadOnlyMemory<byte>[random.Next(1, 8)];
        byte next = 0;
        for (int i = 0; i < 20_000; i++)
        {
            switch (random.Next(6))
            {
                case 0:
                    int hint = random.Next(4) == 0 ? random.Next(200) : random.Next(20);
                    Memory<byte> room = queue.GetMemory(hint);
                    Assert.True(room.Length >= Math.Max(hint, 1));
                    int count = random.Next(Math.Min(room.Length, 100) + 1);
                    for (int k = 0; k < count; k++)
                    {
                        room.Span[k] = next;
                        pending.Add(next++);
                    }

                    queue.Advance(count);
                    break;
                case 1:
                    byte[] bytes = [.. Enumerable.Range(0, random.Next(150)).Select(_ => next++)];
                    queue.Write(bytes);
                    pending.AddRange(bytes);
                    break;
                case 2:
                    Assert.Equal(pending.Count, queue.Uncommitted);
                    queue.Commit();
                    queue.ReleaseIfEmpty();
                    model.AddRange(pending);
                    pending.Clear();
                    break;
                case 3:
                    Assert.Equal(model, queue.Peek().ToArray());
                    break;
                case 4:
                    int pieces = queue.Peek(buffers);
                    byte[] seen = [.. buffers.Take(pieces).SelectMany(b => b.ToArray())];
                    Assert.All(buffers.Take(pieces), b => Assert.False(b.IsEmpty));
                    Assert.Equal(model.Take(seen.Length), seen);
                    Assert.True(seen.Length > 0 || model.Count == 0);
                    break;
                default:
                    int consumed = random.Next(3) == 0 ? model.Count : random.Next(model.Count + 1);
                    queue.Consume(consumed);
                    model.RemoveRange(0, consumed);
                    break;
            }

            Assert.Equal(model.Count, queue.Length);
            if (model.Count == 0 && pending.Count == 0)
            {
                queue.Commit();
                queue.ReleaseIfEmpty();
                Assert.Equal(0, pool.Outstanding);
            }
        }
    }

    [Fact]
    public void Commit_OfNothing_HoldsNoBlock()
    {
        using var pool = new CountingPool();
        var queue = new SegmentQueue(pool);

        queue.GetMemory(10);
        queue.Commit();

        Assert.Equal(0, pool.Outstanding);
    }

    [Fact]
    public void Commit_OfNothingAfterTwoSizes_HoldsNoBlock()
    {
        using var pool = new CountingPool(8192);
        var queue = new SegmentQueue(pool, blockSize: 64);

        queue.GetMemory(10);
        queue.GetMemory(8192);
        queue.GetMemory(8193);
        queue.Commit();

        Assert.Equal(0, pool.Outstanding);
    }

    [Fact]
    public void Commit_ConsumedWhileTheProducerHadTheBlock_HoldsNone()
    {
        using var pool = new CountingPool(8192);
        var queue = new SegmentQueue(pool, blockSize: 64);
        foreach (int room in new[] { 10, 8192 })
        {
            queue.Write("data"u8);
            queue.Commit();
            queue.GetMemory(room);

            queue.Clear(); // cannot give back what the producer has
            Assert.NotEqual(0, pool.Outstanding);
            queue.Commit();

            Assert.Equal(0, pool.Outstanding);
        }

        queue.Write("more"u8);
        queue.Commit();
        Assert.Equal("more"u8.ToArray(), queue.Peek().ToArray());
    }

    [Fact]
    public void Peek_BlocksPassedOverEmpty_AreNotAmongThePieces()
    {
        using var pool = new CountingPool(64);
        var queue = new SegmentQueue(pool, blockSize: 64);
        queue.GetMemory(10);
        queue.GetMemory(65).Span[0] = 7;
        queue.Advance(1);
        queue.Commit();
        var one = new ReadOnlyMemory<byte>[1];

        Assert.Equal(1, queue.Peek(one));

        Assert.Equal([7], one[0].ToArray());
        queue.Clear();
        Assert.Equal(0, pool.Outstanding);
    }

    [Fact]
    public void GetMemory_LargerThanThePoolsBlocks_ComesFromElsewhere()
    {
        using var pool = new CountingPool();
        var queue = new SegmentQueue(pool);

        Assert.True(queue.GetMemory(100_000).Length >= 100_000);
        queue.Advance(100_000);
        queue.Commit();

        Assert.Equal(100_000, queue.Peek().Length);
        Assert.Equal(0, pool.Rented);
        queue.Clear();
    }

    [Fact]
    public void Advance_BeyondTheRoom_Throws()
    {
        var queue = new SegmentQueue(null);
        int room = queue.GetMemory(1).Length;

        Assert.Throws<ArgumentOutOfRangeException>(() => queue.Advance(room + 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => queue.Advance(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SegmentQueue(null).Advance(1));
    }

    [Fact]
    public void Consume_MoreThanCommitted_Throws()
    {
        var queue = new SegmentQueue(null);
        queue.Write([1, 2, 3]);
        queue.Commit();

        Assert.Throws<ArgumentOutOfRangeException>(() => queue.Consume(4));
    }
}
