using System.Text;
using LoopBridge.Testing;

namespace LoopBridge.Middleware.Tests.Sample;

/// <summary>A talk of two in the chat room, whatever each came by.</summary>
internal static class ChatTalk
{
    internal static async Task HoldAsync(Stream ada, Stream grace)
    {
        using var fromAda = new StreamReader(ada, leaveOpen: true);
        using var fromGrace = new StreamReader(grace, leaveOpen: true);
        await ExpectAsync(fromAda, "What is your name?");
        await SayAsync(ada, new string('x', 33));
        await ExpectAsync(fromAda, "A name has 1 to 32 characters. What is yours?");
        await SayAsync(ada, "Ada\r");
        await ExpectAsync(fromAda, "Welcome, Ada.");

        await ExpectAsync(fromGrace, "What is your name?");
        await SayAsync(grace, "Grace");
        await ExpectAsync(fromGrace, "Welcome, Grace.");
        await ExpectAsync(fromAda, "* Grace is here, with 1 others.");

        await SayAsync(ada, "Grüße");
        await ExpectAsync(fromAda, "Ada: Grüße");
        await ExpectAsync(fromGrace, "Ada: Grüße");
        await SayAsync(grace, "hello");
        await ExpectAsync(fromAda, "Grace: hello");
        await ExpectAsync(fromGrace, "Grace: hello");

        await grace.DisposeAsync().WithDeadline();
        await ExpectAsync(fromAda, "* Grace has left.");
    }

    internal static Task SayAsync(Stream stream, string line)
        => stream.WriteAsync(Encoding.UTF8.GetBytes(line + "\n"), TestContext.Current.CancellationToken).WithDeadline();

    private static async Task ExpectAsync(StreamReader reader, string line)
        => Assert.Equal(line, await reader.ReadLineAsync(TestContext.Current.CancellationToken).WithDeadline());
}
