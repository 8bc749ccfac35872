using LoopBridge.Streams;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Streams;

public sealed class ReadBufferTests
{
    [Theory]
    [InlineData(1), InlineData(2), InlineData(3)]
    [Contract("L-STR-52")]
    public void Buffer_AnyMixOfPieces_KeepsTheOrder(int seed)
    {
        var random = new Random(seed);
        byte[] noise = StreamTestData.Noise(4_000_000);
        var buffer = default(ReadBuffer);
        int written = 0;
        int read = 0;
        byte[] target = new byte[300_000];
        while (read < noise.Length)
        {
            int size = random.Next(3) switch { 0 => random.Next(10), 1 => random.Next(5000), _ => random.Next(target.Length) };
            if (random.Next(2) == 0)
            {
                int count = Math.Min(size, noise.Length - written);
                buffer.Append(noise.AsSpan(written, count));
                written += count;
            }
            else
            {
                int count = buffer.MoveTo(target.AsSpan(0, size));
                Assert.True(noise.AsSpan(read, count).SequenceEqual(target.AsSpan(0, count)));
                read += count;
            }

            Assert.Equal(written - read, buffer.Length);
        }

        Assert.Equal(0, buffer.Capacity);
    }

    [Fact]
    public void Consume_LittleLeftInALargeArray_MovesToASmallOne()
    {
        var buffer = default(ReadBuffer);
        buffer.Append(new byte[10_000_000]);
        buffer.Append([1, 2, 3]);
        Assert.Equal(10_000_000, buffer.Take(10_000_000).Length);
        Assert.InRange(buffer.Capacity, 3, 2 * LoopStreamOptions.DefaultReadChunkSize);
        Assert.Equal([1, 2, 3], buffer.Take(3));
        Assert.Equal(0, buffer.Capacity);
    }
}
