using System.Net.Sockets;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Contracts;

/// <summary>The harness fails a test that leaves something behind.</summary>
[Collection(ContractTest.OneAtATime)]
public sealed class ContractTestTests
{
    [Fact]
    public void Finish_NothingLeft_IsContent()
    {
        using var test = new Sample();
        test.Log.CreateLogger("loop").LogInformation("nothing to worry about");
        Assert.Null(test.Finish());
    }

    [Fact]
    public void Finish_DescriptorLeft_Fails()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "descriptors are counted on Linux only");
        using var test = new Sample { Patience = TimeSpan.FromMilliseconds(20) };
        using var left = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        Assert.Contains("Descriptors left behind", test.Finish()?.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Finish_WarningNotTaken_Fails()
    {
        using var test = new Sample();
        test.Log.CreateLogger("loop").LogWarning("something");
        Assert.Contains("something", test.Finish()?.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Finish_WarningTaken_IsContent()
    {
        using var test = new Sample();
        test.Log.CreateLogger("loop").LogWarning("something");
        Assert.Equal("something", test.Log.TakeSingle(LogLevel.Warning).Message);
        Assert.Null(test.Finish());
    }

    [Fact]
    public void Finish_OwnedResourceThrows_FailsAndEndsTheOthers()
    {
        using var test = new Sample();
        bool ended = false;
        test.Own(new Ending(() => ended = true));
        test.Own(new Ending(() => throw new InvalidOperationException("stuck")));
        Assert.Equal("stuck", test.Finish()?.Message);
        Assert.True(ended);
    }

    private sealed class Sample : ContractTest;

    private sealed class Ending(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}
