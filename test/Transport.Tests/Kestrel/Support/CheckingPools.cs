using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections;

namespace LoopBridge.Transport.Tests.Kestrel;

/// <summary>Pools like Kestrel's that count their blocks: 4 KiB each, none to be had after dispose, each to be given back once.</summary>
internal sealed class CheckingPools : IMemoryPoolFactory<byte>
{
    private readonly ConcurrentQueue<Pool> _made = new();

    internal IReadOnlyCollection<string?> Owners => [.. _made.Select(pool => pool.Owner)];

    internal int Rented => _made.Sum(pool => pool.Rented);

    internal int Outstanding => _made.Sum(pool => pool.Outstanding);

    internal int Open => _made.Count(pool => !pool.IsClosed);

    public MemoryPool<byte> Create(MemoryPoolOptions? options = null)
    {
        var pool = new Pool(options?.Owner);
        _made.Enqueue(pool);
        return pool;
    }

    internal bool Made(MemoryPool<byte> pool) => _made.Contains(pool);

    private sealed class Pool(string? owner) : MemoryPool<byte>
    {
        private int _rented;
        private int _outstanding;

        internal string? Owner => owner;

        internal int Rented => Volatile.Read(ref _rented);

        internal int Outstanding => Volatile.Read(ref _outstanding);

        internal bool IsClosed { get; private set; }

        public override int MaxBufferSize => 4096;

        public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            Interlocked.Increment(ref _rented);
            Interlocked.Increment(ref _outstanding);
            return new Block(this);
        }

        protected override void Dispose(bool disposing) => IsClosed = true;

        private sealed class Block(Pool pool) : IMemoryOwner<byte>
        {
            private readonly byte[] _bytes = new byte[4096];
            private int _returned;

            public Memory<byte> Memory => _bytes;

            public void Dispose()
            {
                Assert.Equal(0, Interlocked.Exchange(ref _returned, 1));
                _bytes.AsSpan().Fill(0xEE); // whoever still looks here sees that it is not his any more
                Interlocked.Decrement(ref pool._outstanding);
            }
        }
    }
}
