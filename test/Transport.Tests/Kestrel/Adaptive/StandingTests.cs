using LoopBridge.Kestrel;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Kestrel.Adaptive;

public sealed class StandingTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Good = Limit / ConnectionStanding.GoodPart;
    private static readonly TimeSpan Middling = Limit / 2;
    private static readonly TimeSpan Bad = Limit * 2;

    private readonly ManualTimeProvider _clock = new(TimeSpan.FromDays(1));
    private readonly EndpointStanding _endpoint;

    public StandingTests() => _endpoint = new EndpointStanding(_clock, "127.0.0.1:80");

    [Fact]
    public void Connection_AtFirst_MayUseItsLoop() => Assert.True(NewConnection().MayUseLoop);

    [Fact]
    public void Connection_Overtaken_ComesBackAfterGoodRunsInARow()
    {
        ConnectionStanding connection = NewConnection();
        connection.OnOvertaken();
        Assert.False(connection.MayUseLoop);
        Run(connection, ConnectionStanding.GoodRuns - 1, Good);
        Assert.False(connection.MayUseLoop);
        Run(connection, 1, Good);
        Assert.True(connection.MayUseLoop);
    }

    [Fact]
    public void Connection_OfACrowdedLoop_IsAwayForAWhile()
    {
        ConnectionStanding connection = NewConnection();
        connection.OnCrowded();
        Assert.False(connection.MayUseLoop);
        Run(connection, 100, Good);
        Assert.False(connection.MayUseLoop);
        _clock.Advance(ConnectionStanding.TimeAway);
        Run(connection, 1, Good);
        Assert.True(connection.MayUseLoop);
        Assert.Equal(0, _endpoint.Offences);
    }

    [Fact]
    public void Connection_OffenderOnACrowdedLoop_OwesItsRunsAllTheSame()
    {
        ConnectionStanding connection = NewConnection();
        connection.OnOvertaken();
        connection.OnCrowded();
        Run(connection, ConnectionStanding.GoodRuns - 1, Good);
        Assert.False(connection.MayUseLoop);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Connection_RunThatIsNotGood_BeginsTheRowAgain(bool bad)
    {
        ConnectionStanding connection = NewConnection();
        connection.OnOvertaken();
        Run(connection, ConnectionStanding.GoodRuns - 1, Good);
        Run(connection, 1, bad ? Bad : Middling);
        Run(connection, ConnectionStanding.GoodRuns - 1, Good);
        Assert.False(connection.MayUseLoop);
        Run(connection, 1, Good);
        Assert.True(connection.MayUseLoop);
    }

    [Fact]
    public void Connection_ThatOverstaysAgain_HasToBehaveTwiceAsLong()
    {
        ConnectionStanding connection = NewConnection();
        for (int wanted = ConnectionStanding.GoodRuns; ; wanted = Math.Min(wanted * 2, ConnectionStanding.MostGoodRuns))
        {
            connection.OnOvertaken();
            Run(connection, 1, Middling);
            Run(connection, wanted - 1, Good);
            Assert.False(connection.MayUseLoop);
            Run(connection, 1, Good);
            Assert.True(connection.MayUseLoop);
            if (wanted == ConnectionStanding.MostGoodRuns)
            {
                return;
            }
        }
    }

    [Fact]
    public void Connection_LateWorkerRun_DoesNotTakeItsStandingBack()
    {
        ConnectionStanding connection = NewConnection();
        Run(connection, 1, Middling); // of before it came back
        Assert.True(connection.MayUseLoop);
    }

    [Fact]
    public void Endpoint_FewOffences_LeavesNewConnectionsAlone()
    {
        for (int i = 0; i < EndpointStanding.ToleratedOffences; i++)
        {
            _endpoint.OnOffence();
        }

        Assert.False(_endpoint.IsOnProbation);
        Assert.True(NewConnection().MayUseLoop);
    }

    [Fact]
    public void Endpoint_OffencesFarApart_LeavesNewConnectionsAlone()
    {
        for (int i = 0; i < 100; i++)
        {
            _endpoint.OnOffence();
            _clock.Advance(EndpointStanding.Forgiveness);
            Assert.False(_endpoint.IsOnProbation);
        }

        Assert.Equal(100, _endpoint.Offences);
    }

    [Fact]
    public void Endpoint_SeveralOffences_PutsNewConnectionsOnProbation_AndForgets()
    {
        ConnectionStanding before = NewConnection();
        for (int i = 0; i <= EndpointStanding.ToleratedOffences; i++)
        {
            NewConnection().OnOvertaken();
        }

        Assert.True(before.MayUseLoop);
        ConnectionStanding connection = NewConnection();
        Assert.False(connection.MayUseLoop);
        Run(connection, ConnectionStanding.GoodRuns, Good);
        Assert.True(connection.MayUseLoop);

        Assert.True(_endpoint.IsOnProbation);
        _clock.Advance(EndpointStanding.Forgiveness);
        Assert.False(_endpoint.IsOnProbation);
    }

    [Fact]
    public void Endpoint_ManyOffences_AreNotRememberedForLong()
    {
        for (int i = 0; i < 1000; i++)
        {
            _endpoint.OnOffence();
        }

        _clock.Advance(EndpointStanding.LongestMemory - (EndpointStanding.ToleratedOffences * EndpointStanding.Forgiveness) - TimeSpan.FromTicks(1));
        Assert.True(_endpoint.IsOnProbation);
        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.False(_endpoint.IsOnProbation);
    }

    [Fact]
    public void Endpoint_WorkersThatOverstay_KeepProbationUp()
    {
        ConnectionStanding connection = NewConnection();
        Run(connection, EndpointStanding.ToleratedOffences + 1, Bad);
        Assert.True(_endpoint.IsOnProbation);
        Assert.True(connection.MayUseLoop); // a run that was measured on a worker of one in good standing takes nothing from it
    }

    private static void Run(ConnectionStanding connection, int times, TimeSpan duration)
    {
        for (int i = 0; i < times; i++)
        {
            connection.OnWorkerRun(duration);
        }
    }

    private ConnectionStanding NewConnection() => new(_endpoint, Limit, _endpoint.IsOnProbation);
}
