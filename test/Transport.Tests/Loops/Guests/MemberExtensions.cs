using LoopBridge.Loops;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Loops.Guests;

internal static class MemberExtensions
{
    /// <summary>Runs it as a callback of the loop.</summary>
    internal static Task DoAsync(this LoopMember member, Action action)
    {
        var ran = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Assert.True(member.Loop.AddCallback(() =>
        {
            try
            {
                action();
                ran.SetResult();
            }
            catch (Exception e)
            {
                ran.SetException(e); // the test's to see
            }
        }));
        return ran.Task.WithDeadline();
    }
}
