namespace LoopBridge.Transport.Tests.Protocols;

/// <summary>What all tests here need: the drivers of this machine, and bytes that show when they are lost or swapped.</summary>
public abstract class ProtocolTest
{
    public static TheoryData<LoopDriver> Drivers => OperatingSystem.IsLinux()
        ? new(LoopDriver.Epoll, LoopDriver.Managed)
        : new(LoopDriver.Managed);

    private protected static byte[] Pattern(int length)
    {
        byte[] bytes = new byte[length];
        new Random(20090910).NextBytes(bytes); // any bytes that do not repeat; the same in every run
        return bytes;
    }

    // Not Assert.Equal: on megabytes it takes its time, and prints them.
    private protected static void AssertSameBytes(byte[] expected, byte[] actual)
        => Assert.True(expected.AsSpan().SequenceEqual(actual), $"{actual.Length} bytes came that are not the {expected.Length} expected.");
}
