using System.Buffers;

namespace LoopBridge.Transport.Tests.Sockets;

/// <summary>Blocks that are counted, filled with rubbish when they come back, and may come back only once.</summary>
internal sealed class CountingPool(int blockSize = 4096) : MemoryPool<byte>
{
    private int _outstanding;
    private int _rented;

    public override int MaxBufferSize => blockSize;

    internal int Outstanding => Volatile.Read(ref _outstanding);

    internal int Rented => Volatile.Read(ref _rented);

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        Interlocked.Increment(ref _outstanding);
        Interlocked.Increment(ref _rented);
        return new Block(this, new byte[blockSize]);
    }

    protected override void Dispose(bool disposing)
    {
    }

    private sealed class Block(CountingPool pool, byte[] bytes) : IMemoryOwner<byte>
    {
        private int _returned;

        public Memory<byte> Memory => Volatile.Read(ref _returned) == 0 ? bytes : throw new ObjectDisposedException(nameof(Block));

        public void Dispose()
        {
            Assert.Equal(0, Interlocked.Exchange(ref _returned, 1));
            bytes.AsSpan().Fill(0xEE);
            Interlocked.Decrement(ref pool._outstanding);
        }
    }
}
