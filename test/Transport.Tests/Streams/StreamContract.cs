using System.Net;
using LoopBridge.Streams;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Streams;

/// <summary>A contract test about a stream: one link for each test, which logs to the test's log.</summary>
public abstract class StreamContract : LoopContract
{
    /// <summary>What the streams of this test log.</summary>
    private protected ILogger StreamLogger => Log.CreateLogger("stream");

    /// <summary>An address that nobody listens on.</summary>
    private protected IPEndPoint Nobody() => Own(new ReservedPort()).EndPoint;

    /// <summary>A connected stream on a loop of its own. Gets this test's logger.</summary>
    private protected Task<StreamLink> OpenAsync(LoopStack stack, LinkKind kind = LinkKind.Socket, LoopStreamOptions? options = null)
    {
        options ??= new LoopStreamOptions();
        options.Logger = StreamLogger;
        return StreamLink.OpenAsync(StartLoop(stack), kind, options);
    }
}
