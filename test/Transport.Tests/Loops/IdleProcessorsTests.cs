using System.Text;
using LoopBridge.Loops;

namespace LoopBridge.Transport.Tests.Loops;

public sealed class IdleProcessorsTests
{
    [Theory]
    [InlineData(100, 0, false)]
    [InlineData(71, 29, false)]
    [InlineData(69, 31, true)]
    [InlineData(0, 100, true)]
    [InlineData(0, 0, false)]
    public void HasSpare_TwoProcessors_WantsMoreThanHalfOfOne(long busy, long idle, bool expected)
    {
        string text = Line(1000, 500);
        using var processors = new IdleProcessors(buffer => Encoding.ASCII.GetBytes(text, buffer), processors: 2);
        Assert.False(processors.HasSpare()); // since when?
        text = Line(1000 + busy, 500 + idle);
        Assert.Equal(expected, processors.HasSpare());
    }

    [Theory]
    [InlineData("")]
    [InlineData("cpu  1 2 3")]
    [InlineData("intr 1 2 3 4 5 6 7 8")]
    public void HasSpare_FileSaysSomethingElse_HasNone(string text)
    {
        using var processors = new IdleProcessors(buffer => Encoding.ASCII.GetBytes(text, buffer), processors: 2);
        Assert.False(processors.HasSpare());
        Assert.False(processors.HasSpare());
    }

    [Fact]
    public void HasSpare_ThisMachine_CanBeRead()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "proc_stat(5) is Linux.");
        using var processors = new IdleProcessors();
        Assert.True(processors.IsKnown);
    }

    private static string Line(long user, long idle) => $"cpu  {user} 0 0 {idle} 0 0 0 0 0 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n";
}
