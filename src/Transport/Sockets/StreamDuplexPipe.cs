using System.IO.Pipelines;
using System.Net.Sockets;

namespace LoopBridge.Sockets;

/// <summary>
/// A <see cref="Stream"/> as the pipes of a <see cref="PipeChannel"/>: the way to a pipe where the loop cannot watch descriptors. A
/// direction that the stream does not have is silent.
/// </summary>
/// <remarks>
/// The platform waits, not the loop: with <c>poll</c> or its like on Unix, with a thread of the pool for each pending operation on the
/// anonymous pipes of Windows.
/// </remarks>
internal sealed class StreamDuplexPipe : IDuplexPipe
{
    private StreamDuplexPipe(PipeReader input, PipeWriter output)
    {
        Input = input;
        Output = output;
    }

    public PipeReader Input { get; }

    public PipeWriter Output { get; }

    /// <summary>Both directions of the stream, or the one that it has. The stream belongs to the pipes from here on.</summary>
    internal static StreamDuplexPipe Over(Stream stream)
    {
        if (stream.CanRead && stream.CanWrite)
        {
            throw new NotSupportedException("The pipe has two directions, and this loop's driver cannot watch it. Use the epoll driver.");
        }

        var adapter = new Adapter(stream);
        return stream.CanRead
            ? new StreamDuplexPipe(PipeReader.Create(adapter), PipeWriter.Create(Stream.Null))
            : new StreamDuplexPipe(new Pipe().Reader, PipeWriter.Create(adapter));
    }

    /// <summary>
    /// What <see cref="PipeReader.Create(Stream, StreamPipeReaderOptions?)"/> and its sister see of the stream. Asynchronous reads and
    /// writes alone: when it is completed, the writer sends again what a failed or cancelled write left, synchronously, and a loop must not
    /// wait for that.
    /// </summary>
    private sealed class Adapter(Stream inner) : Stream
    {
        public override bool CanRead => inner.CanRead;

        public override bool CanWrite => inner.CanWrite;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            try
            {
                return await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            }
            catch (IOException e) when (IsBadDescriptor(e) && !cancellationToken.IsCancellationRequested)
            {
                return 0; // closed behind our back, or not open for reading: counts as close (L-STR-51)
            }
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
            => inner.WriteAsync(buffer, cancellationToken);

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask; // a pipe keeps nothing back

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("It would block a loop.");

        public override void Write(byte[] buffer, int offset, int count)
        {
            // What is left here is lost already: see above.
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            // As above.
        }

        public override void Flush()
        {
            // A pipe keeps nothing back.
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                inner.Dispose();
            }

            base.Dispose(disposing);
        }

        // .NET has one name for ECANCELED and EBADF.
        private static bool IsBadDescriptor(IOException e)
            => e.InnerException is SocketException { SocketErrorCode: SocketError.OperationAborted };
    }
}
