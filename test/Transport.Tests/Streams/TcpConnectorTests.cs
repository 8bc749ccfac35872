using System.Net;
using System.Net.Sockets;
using LoopBridge.Loops;
using LoopBridge.Sockets;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Streams;

/// <summary>The order of attempts, attempt by attempt: Tornado's <c>ConnectorTest</c>.</summary>
public sealed class TcpConnectorTests : LoopContract
{
    private const string A1 = "192.0.2.1";
    private const string A2 = "192.0.2.2";
    private const string B1 = "2001:db8::1";
    private const string B2 = "2001:db8::2";

    private static readonly TimeSpan OneSecond = TimeSpan.FromSeconds(1);

    [Fact]
    [Contract("L-CLI-05")]
    public void Split_OneFamily_SecondIsEmpty()
    {
        (Queue<IPEndPoint> first, Queue<IPEndPoint> second) = AddressConnector<string>.Split([At(A1), At(A2)]);

        Assert.Equal([At(A1), At(A2)], first);
        Assert.Empty(second);
    }

    [Fact]
    [Contract("L-CLI-05")]
    public void Split_Mixed_KeepsTheOrderWithinFamilies()
    {
        (Queue<IPEndPoint> first, Queue<IPEndPoint> second) = AddressConnector<string>.Split([At(B1), At(A1), At(A2), At(B2)]);

        Assert.Equal([At(B1), At(B2)], first);
        Assert.Equal([At(A1), At(A2)], second);
    }

    [Theory, LoopStacks]
    [Contract("L-CLI-06")]
    public void Connect_FirstSucceeds_NoFurtherAttemptAndNoTimer(LoopStack stack)
    {
        ConnectScript script = Begin(stack, null, A1, A2, B1);
        Assert.Equal(1, script.PendingTimeouts);

        script.Succeed(A1);

        AssertConnected(script, A1);
        script.Advance(1);
        Assert.Equal([A1], script.Started);
    }

    [Theory, LoopStacks]
    [Contract("L-CLI-07")]
    public void Connect_OnlyAddressFails_FailsWithItsErrorAtOnce(LoopStack stack)
    {
        ConnectScript script = Begin(stack, null, A1);

        script.Fail(A1, SocketError.HostUnreachable);

        AssertFailed(script, A1, SocketError.HostUnreachable);
    }

    [Theory, LoopStacks]
    [Contract("L-CLI-08")]
    public void Connect_FirstFails_NextOfTheFamilyIsTried(LoopStack stack)
    {
        ConnectScript script = Begin(stack, null, A1, A2);
        script.Fail(A1);
        Assert.Equal([A1, A2], script.Started);
        Assert.False(script.Outcome.IsCompleted);

        script.Succeed(A2);

        AssertConnected(script, A2);
    }

    [Theory, LoopStacks]
    [Contract("L-CLI-08")]
    public void Connect_AllOfOneFamilyFail_FailsWithTheLast(LoopStack stack)
    {
        ConnectScript script = Begin(stack, null, A1, A2);
        script.Fail(A1, SocketError.HostUnreachable);

        script.Fail(A2, SocketError.ConnectionRefused);

        ConnectFailedException error = AssertFailed(script, A2, SocketError.ConnectionRefused);
        Assert.Equal(["192.0.2.1:80", "192.0.2.2:80"], error.Attempts.Select(attempt => attempt.EndPoint.ToString()));
        Assert.Contains("host.example:80", error.Message, StringComparison.Ordinal);
        Assert.Contains("192.0.2.1:80", error.Message, StringComparison.Ordinal);
    }

    [Theory, LoopStacks]
    [Contract("L-CLI-08")]
    public void Connect_TimePassesWithoutASecondFamily_NothingHappens(LoopStack stack)
    {
        ConnectScript script = Begin(stack, null, A1, A2);
        script.Fail(A1);

        script.Advance(1);

        Assert.Equal([A1, A2], script.Started);
        Assert.False(script.Outcome.IsCompleted);
        script.Succeed(A2);
        AssertConnected(script, A2);
    }

    [Theory, LoopStacks]
    [Contract("L-CLI-09")]
    public void Connect_FirstFailsAtOnce_BothFamiliesGoOnWithoutWaiting(LoopStack stack)
    {
        ConnectScript script = Begin(stack, null, A1, A2, B1, B2);

        script.Fail(A1);

        Assert.Equal([A1, A2, B1], script.Started);
        Assert.Equal(0, script.PendingTimeouts);
        script.Fail(A2);
        Assert.Equal([A1, A2, B1], script.Started);
        script.Succeed(B1);
        AssertConnected(script, B1);
    }

    [Theory, LoopStacks]
    [Contract("L-CLI-10")]
    public void Connect_NoResultForATime_SecondFamilyJoinsIn(LoopStack stack)
    {
        ConnectScript script = Begin(stack, null, A1, A2, B1, B2);
        script.Advance(0.299);
        Assert.Equal([A1], script.Started);

        script.Advance(0.001);

        Assert.Equal([A1, B1], script.Started);
        script.Advance(10);
        Assert.Equal([A1, B1], script.Started); // one attempt for each family at a time
        script.Fail(B1);
        Assert.Equal([A1, B1, B2], script.Started);
        script.Fail(A1);
        Assert.Equal([A1, B1, B2, A2], script.Started);
        script.Succeed(A2);
        AssertConnected(script, A2);
        Assert.Equal([B2], script.Ended);
    }

    [Theory, LoopStacks]
    [Contract("L-CLI-11")]
    public void Connect_SecondConnectsAfterTheFirst_IsClosed(LoopStack stack)
    {
        ConnectScript script = Begin(stack, null, A1, B1);
        script.AttemptsObey = false;
        script.Advance(0.3);
        script.Succeed(A1);
        AssertConnected(script, A1);

        script.Succeed(B1);

        Assert.Equal([B1], script.Closed);
        AssertConnected(script, A1);
    }

    [Theory, LoopStacks]
    [Contract("L-CLI-12")]
    public void Connect_AllFail_FailsWithTheLastErrorNotBefore(LoopStack stack)
    {
        ConnectScript script = Begin(stack, null, A1, A2, B1, B2);
        script.Fail(A1);
        script.Fail(B1);
        script.Fail(A2);
        Assert.False(script.Outcome.IsCompleted);

        script.Fail(B2, SocketError.NetworkUnreachable);

        AssertFailed(script, B2, SocketError.NetworkUnreachable);
        Assert.Equal([A1, A2, B1, B2], script.Started);
    }

    [Theory, LoopStacks]
    [Contract("L-CLI-13")]
    public void Connect_TimeIsOver_FailsEndsTheAttemptsAndTheTimers(LoopStack stack)
    {
        ConnectScript script = Begin(stack, OneSecond, A1, B1);
        script.Advance(0.3);
        Assert.Equal([A1, B1], script.Started);

        script.Advance(0.7);

        AssertTimedOut(script);
        Assert.Equal([A1, B1], script.Ended.Order());
    }

    [Theory, LoopStacks]
    [Contract("L-CLI-13")]
    public void Connect_TimeIsOverBeforeTheSecondFamily_ItIsNeverTried(LoopStack stack)
    {
        ConnectScript script = Begin(stack, TimeSpan.FromSeconds(0.2), A1, B1);

        script.Advance(0.2);

        AssertTimedOut(script);
        script.Advance(1);
        Assert.Equal([A1], script.Started);
    }

    [Theory, LoopStacks]
    [Contract("L-CLI-13")]
    public void Connect_TimeIsOverInTheSecondTry_MessageTellsWhatFailedBefore(LoopStack stack)
    {
        ConnectScript script = Begin(stack, OneSecond, A1, A2);
        script.Fail(A1);

        script.Advance(1);

        TimeoutException error = AssertTimedOut(script);
        Assert.Contains("host.example:80", error.Message, StringComparison.Ordinal);
        Assert.Contains("192.0.2.1:80", error.Message, StringComparison.Ordinal);
        Assert.Equal([A2], script.Ended);
    }

    [Theory, LoopStacks]
    [Contract("L-CLI-13")]
    public void Connect_LateConnectAfterTheTime_IsClosed(LoopStack stack)
    {
        ConnectScript script = Begin(stack, OneSecond, A1);
        script.AttemptsObey = false;
        script.Advance(1);
        AssertTimedOut(script);

        script.Succeed(A1);

        Assert.Equal([A1], script.Closed);
    }

    [Theory, LoopStacks]
    [Contract("L-CLI-13")]
    public void Connect_SuccessInTime_Connects(LoopStack stack)
    {
        ConnectScript script = Begin(stack, OneSecond, A1, B1);
        script.Advance(0.4);
        script.Fail(A1);

        script.Succeed(B1);

        AssertConnected(script, B1);
    }

    [Theory, LoopStacks]
    [Contract("L-CLI-13")]
    public void Connect_AllFailInTime_FailsWithTheLastError(LoopStack stack)
    {
        ConnectScript script = Begin(stack, OneSecond, A1, A2);
        script.Fail(A1);

        script.Fail(A2, SocketError.HostUnreachable);

        AssertFailed(script, A2, SocketError.HostUnreachable);
    }

    [Theory, LoopStacks]
    public void Connect_Cancelled_EndsWithTheCallersToken(LoopStack stack)
    {
        using var cancellation = new CancellationTokenSource();
        ConnectScript script = Begin(stack, OneSecond, [A1, B1], cancellation.Token);

        cancellation.Cancel();
        script.Run();

        Assert.True(script.Outcome.IsCanceled);
        var error = Assert.ThrowsAny<OperationCanceledException>(() => script.Outcome.GetAwaiter().GetResult());
        Assert.Equal(cancellation.Token, error.CancellationToken);
        Assert.Equal([A1], script.Ended);
        Assert.Equal(0, script.PendingTimeouts);
    }

    [Theory, LoopStacks]
    [Contract("L-CLI-16")]
    public void Connect_NoAddress_FailsWithAnIOError(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        Task<string>? outcome = null;
        loop.AddCallback(() =>
        {
            outcome = AddressConnector<string>.ConnectAsync(
                loop, [], (_, _) => Task.FromResult("never"), _ => { }, "empty.example:80", [], CancellationToken.None);
        });
        loop.RunTurns(5);

        ConnectFailedException error = Assert.Throws<ConnectFailedException>(() => outcome!.GetAwaiter().GetResult());
        Assert.IsType<IOException>(error, exactMatch: false);
        Assert.Contains("empty.example:80", error.Message, StringComparison.Ordinal);
        Assert.Empty(error.Attempts);
    }

    private static IPEndPoint At(string address) => new(IPAddress.Parse(address), 80);

    private ConnectScript Begin(LoopStack stack, TimeSpan? timeout, params string[] addresses) => Begin(stack, timeout, addresses, default);

    private ConnectScript Begin(LoopStack stack, TimeSpan? timeout, string[] addresses, CancellationToken cancellationToken)
    {
        var clock = new ManualTimeProvider();
        var script = new ConnectScript(NewLoop(stack, clock), clock, timeout, addresses);
        script.Begin(cancellationToken);
        return script;
    }

    private static void AssertConnected(ConnectScript script, string address)
    {
        Assert.True(script.Outcome.IsCompletedSuccessfully, script.Outcome.Exception?.ToString() ?? "Not connected.");
        Assert.Equal(address, script.Outcome.GetAwaiter().GetResult());
        Assert.Equal(0, script.PendingTimeouts);
    }

    private static ConnectFailedException AssertFailed(ConnectScript script, string last, SocketError error)
    {
        Assert.True(script.Outcome.IsCompleted);
        ConnectFailedException failure = Assert.Throws<ConnectFailedException>(() => script.Outcome.GetAwaiter().GetResult());
        Assert.Equal(At(last), failure.EndPoint);
        Assert.Equal(error, failure.SocketErrorCode);
        Assert.Equal(error, Assert.IsType<SocketException>(failure.InnerException).SocketErrorCode);
        Assert.Equal(0, script.PendingTimeouts);
        return failure;
    }

    private static TimeoutException AssertTimedOut(ConnectScript script)
    {
        Assert.True(script.Outcome.IsCompleted);
        Assert.Equal(0, script.PendingTimeouts);
        return Assert.Throws<TimeoutException>(() => script.Outcome.GetAwaiter().GetResult());
    }
}
