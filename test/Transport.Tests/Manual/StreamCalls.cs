using LoopBridge.Streams;
using LoopBridge.Transport.Tests.Streams;

namespace LoopBridge.Transport.Tests.Manual;

/// <summary>Operations of a stream as tasks, to begin between turns and look at later. No token: only the test runs the loop.</summary>
internal static class StreamCalls
{
    internal static Task Send(this LoopStream stream, string text) => stream.Send(text.Bytes());

    internal static Task Send(this LoopStream stream, byte[] bytes) => stream.WriteAsync(bytes).AsTask();

    internal static Task<int> Receive(this LoopStream stream, byte[] buffer) => stream.ReadAsync(buffer).AsTask();

    internal static Task<byte[]> ReceiveLine(this LoopStream stream) => stream.ReadUntilAsync(StreamTestData.NewLine).AsTask();

    internal static Task Close(this LoopStream stream) => stream.CloseAsync().AsTask();
}
