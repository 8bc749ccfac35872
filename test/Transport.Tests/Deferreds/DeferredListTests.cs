using LoopBridge.Deferreds;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Deferreds;

/// <summary>Several Deferreds, of which one outcome is made.</summary>
public sealed class DeferredListTests
{
    [Theory, Contract("R-DEF-19")]
    [InlineData(false)]
    [InlineData(true)]
    public void All_WhenTheLastHasFired_GivesTheResultsInTheOrderGiven(bool firedBefore)
    {
        Deferred<int>[] inputs = [new(), new(), new()];
        var error = new FormatException();
        if (firedBefore)
            Fire();
        Deferred<IReadOnlyList<DeferredResult<int>>> list = Deferred.All(inputs);
        if (!firedBefore)
        {
            Assert.False(list.IsFired);
            Fire();
        }

        IReadOnlyList<DeferredResult<int>> results = list.ValueNow();
        Assert.Equal([true, false, true], results.Select(result => result.IsSuccess));
        Assert.Equal((1, 3), (results[0].Value, results[2].Value));
        Assert.Same(error, results[1].Error);

        // The values and the failure are still where they were.
        Assert.Equal(3, inputs[2].ValueNow());
        Assert.Same(error, inputs[1].ErrorNow());

        void Fire()
        {
            inputs[2].Callback(3);
            inputs[0].Callback(1);
            inputs[1].Errback(error);
        }
    }

    [Fact, Contract("R-DEF-19")]
    public void All_BeforeTheLastHasFired_Waits()
    {
        Deferred<int>[] inputs = [new(), new()];
        Deferred<IReadOnlyList<DeferredResult<int>>> list = Deferred.All(inputs);

        inputs[1].Callback(1);

        Assert.False(list.IsFired);
        inputs[0].Callback(1);
        Assert.True(list.IsFired);
    }

    [Fact, Contract("R-DEF-19")]
    public void All_OfNone_FiresAtOnce()
    {
        Assert.Empty(Deferred.All<int>([]).ValueNow());
        Assert.Empty(Deferred.Gather<int>([]).ValueNow());
        Assert.Throws<ArgumentException>(() => { Deferred.First<int>([]); });
        Assert.Throws<ArgumentException>(() => { Deferred.Race<int>([]); });
    }

    [Fact, Contract("R-DEF-19")]
    public void All_ThatConsumesErrors_LeavesDefaultInTheInputs()
    {
        Deferred<int>[] inputs = [new(), new()];
        Deferred.All(inputs, consumeErrors: true);

        inputs[0].Errback(new FormatException());
        inputs[1].Callback(5);

        Assert.Equal(0, inputs[0].ValueNow());
        Assert.Equal(5, inputs[1].ValueNow());
    }

    [Theory, Contract("R-DEF-20"), Contract("R-DEF-22")]
    [InlineData(false)]
    [InlineData(true)]
    public void Gather_OfAFailure_FailsOnceWithItsIndex(bool firedBefore)
    {
        Deferred<int>[] inputs = [new(), new(), new()];
        var error = new FormatException("the first");
        if (firedBefore)
            Fire();
        Deferred<IReadOnlyList<int>> list = Deferred.Gather(inputs, consumeErrors: true);
        if (!firedBefore)
            Fire();

        var first = Assert.IsType<FirstErrorException>(list.ErrorNow());
        Assert.Equal(firedBefore ? 0 : 1, first.Index);
        Assert.IsType(firedBefore ? typeof(InvalidOperationException) : typeof(FormatException), first.InnerException);
        Assert.All(inputs[..2], input => Assert.Equal(0, input.ValueNow()));
        Assert.Contains(first.InnerException!.Message, first.Message, StringComparison.Ordinal);

        void Fire()
        {
            // Fired before, the list meets them in its own order.
            inputs[1].Errback(error);
            inputs[0].Errback(new InvalidOperationException("the second"));
            inputs[2].Callback(1);
        }
    }

    [Fact, Contract("R-DEF-22")]
    public void Gather_GivesPlainValuesInTheOrderGiven()
    {
        Deferred<int>[] inputs = [new(), Deferred.Succeed(2), new()];
        Deferred<IReadOnlyList<int>> list = Deferred.Gather(inputs);

        inputs[2].Callback(3);
        inputs[0].Callback(1);

        Assert.Equal([1, 2, 3], list.ValueNow());
    }

    [Fact, Contract("R-DEF-22")]
    public void Gather_WithoutConsuming_LeavesTheErrorToItsInput()
    {
        Deferred<int>[] inputs = [new()];
        Deferred<IReadOnlyList<int>> list = Deferred.Gather(inputs);
        var error = new FormatException();

        inputs[0].Errback(error);

        Assert.Same(error, inputs[0].ErrorNow());
        Assert.Same(error, list.ErrorNow().InnerException);
    }

    [Fact, Contract("R-DEF-20")]
    public void First_GivesTheFirstValueAndItsIndexAndLeavesTheOthers()
    {
        Deferred<string>[] inputs = [new(), new(), new(_ => Assert.Fail("It is left to itself."))];
        Deferred<IndexedValue<string>> first = Deferred.First(inputs);

        inputs[0].Errback(new FormatException());
        Assert.False(first.IsFired);
        inputs[1].Callback("won");

        Assert.Equal(new IndexedValue<string>(1, "won"), first.ValueNow());
        Assert.False(inputs[2].IsFired);
        inputs[2].Callback("late");
        Assert.IsType<FormatException>(inputs[0].ErrorNow());
    }

    [Fact, Contract("R-DEF-20")]
    public void First_WhenAllFail_FailsWithAllOfThem()
    {
        Deferred<int>[] inputs = [new(), new()];
        Deferred<IndexedValue<int>> first = Deferred.First(inputs, consumeErrors: true);

        inputs[1].Errback(new FormatException());
        inputs[0].Errback(new InvalidOperationException());

        var all = Assert.IsType<AggregateException>(first.ErrorNow());
        Assert.Collection(all.InnerExceptions, e => Assert.IsType<InvalidOperationException>(e), e => Assert.IsType<FormatException>(e));
    }

    [Fact, Contract("R-DEF-20")]
    public void First_ThatFailsFast_FailsWithTheFirstFailure()
    {
        Deferred<int>[] inputs = [new(), new()];
        Deferred<IndexedValue<int>> first = Deferred.First(inputs, failFast: true, consumeErrors: true);

        inputs[1].Errback(new FormatException());
        inputs[0].Callback(1);

        Assert.Equal(1, Assert.IsType<FirstErrorException>(first.ErrorNow()).Index);
    }

    [Fact, Contract("R-DEF-21")]
    public void Cancel_OfAList_CancelsEveryInputWithoutResultAndEndsAsTheyDo()
    {
        var cancelled = new List<int>();
        Deferred<int>[] inputs =
        [
            new(_ => cancelled.Add(0)),
            new(_ => cancelled.Add(1)),
            new(it =>
            {
                cancelled.Add(2);
                it.Callback(7);
            }),
        ];
        inputs[0].Callback(5);
        Deferred<IReadOnlyList<DeferredResult<int>>> list = Deferred.All(inputs, consumeErrors: true);

        list.Cancel();

        Assert.Equal([1, 2], cancelled);
        IReadOnlyList<DeferredResult<int>> results = list.ValueNow();
        Assert.Equal((5, 7), (results[0].Value, results[2].Value));
        Assert.IsType<DeferredCancelledException>(results[1].Error);
    }

    [Fact, Contract("R-DEF-21"), Contract("R-DEF-22")]
    public void Cancel_OfAGathering_FailsWithTheFirstCancellation()
    {
        Deferred<int>[] inputs = [Deferred.Succeed(1), new(), new()];
        Deferred<IReadOnlyList<int>> list = Deferred.Gather(inputs, consumeErrors: true);

        list.Cancel();

        var first = Assert.IsType<FirstErrorException>(list.ErrorNow());
        Assert.Equal(1, first.Index);
        Assert.IsType<DeferredCancelledException>(first.InnerException);
        Assert.True(inputs[2].IsFired);
    }

    [Fact, Contract("R-DEF-21")]
    public void Cancel_OfAListThatHasFired_CancelsNothing()
    {
        Deferred<int>[] inputs = [Deferred.Succeed(1), new(_ => Assert.Fail("The list has fired."))];
        Deferred<IndexedValue<int>> first = Deferred.First(inputs);

        first.Cancel();

        Assert.Equal(1, first.ValueNow().Value);
        Assert.False(inputs[1].IsFired);
    }

    [Fact, Contract("R-DEF-21")]
    public void Cancel_OfAList_ReachesWhatAnInputWaitsFor()
    {
        bool cancelled = false;
        var inner = new Deferred<int>(_ => cancelled = true);
        Deferred<int> input = Deferred.Succeed(1).AddCallback(_ => inner);
        Deferred<IReadOnlyList<DeferredResult<int>>> list = Deferred.All([input], consumeErrors: true);

        list.Cancel();

        Assert.True(cancelled);
        Assert.False(list.ValueNow()[0].IsSuccess);
    }

    [Fact, Contract("R-DEF-21")]
    public void Cancel_OfAListAgain_AsksThoseThatSurvivedAgain()
    {
        int asked = 0;
        Deferred<int> survivor = Survive();
        Deferred<IReadOnlyList<int>> list = Deferred.Gather([survivor]);

        list.Cancel();
        Assert.False(list.IsFired);
        list.Cancel();

        Assert.Equal(2, asked);
        Assert.Equal([2], list.ValueNow());

        async Deferred<int> Survive()
        {
            while (asked < 2)
            {
                try
                {
                    await new Deferred<int>();
                }
                catch (OperationCanceledException)
                {
                    // Survived on purpose.
                    asked++;
                }
            }

            return asked;
        }
    }

    [Fact, Contract("R-DEF-21")]
    public void Cancel_OfAListWithACancellerThatThrows_IsToldOnceAndCancelsTheRest()
    {
        var error = new FormatException();
        var told = new List<Exception>();
        void Tell(object? sender, UnhandledFailureEventArgs args)
        {
            lock (told)
                told.Add(args.Exception);
        }

        Deferred<int>[] inputs = [new(_ => throw error), new()];
        Deferred<IReadOnlyList<DeferredResult<int>>> list = Deferred.All(inputs, consumeErrors: true);
        Deferred.UnhandledFailure += Tell;
        try
        {
            list.Cancel();
        }
        finally
        {
            Deferred.UnhandledFailure -= Tell;
        }

        lock (told)
            Assert.Single(told, each => ReferenceEquals(each, error));
        Assert.All(list.ValueNow(), result => Assert.IsType<DeferredCancelledException>(result.Error));
    }

    [Fact, Contract("R-DEF-23")]
    public void Race_GivesTheFirstValueAndCancelsTheOthers()
    {
        var cancelled = new List<int>();
        Deferred<string>[] inputs = [new(_ => cancelled.Add(0)), new(), new(it => it.Callback("from its canceller"))];
        Deferred<IndexedValue<string>> race = Deferred.Race(inputs);

        inputs[1].Callback("won");

        Assert.Equal(new IndexedValue<string>(1, "won"), race.ValueNow());
        Assert.Equal([0], cancelled);
        Assert.All(inputs, input => Assert.Null(input.ValueNow()));
    }

    [Fact, Contract("R-DEF-23")]
    public void Race_WithALoserThatFiresAfterItsCancellation_IgnoresIt()
    {
        Deferred<int>[] inputs = [new(), new()];
        Deferred<IndexedValue<int>> race = Deferred.Race(inputs);

        inputs[0].Callback(1);
        inputs[1].Callback(2);

        Assert.Equal(new IndexedValue<int>(0, 1), race.ValueNow());
    }

    [Fact, Contract("R-DEF-23")]
    public void Race_WithOneThatHasFired_CancelsThoseBehindIt()
    {
        bool cancelled = false;
        Deferred<IndexedValue<int>> race = Deferred.Race([Deferred.Succeed(4), new Deferred<int>(_ => cancelled = true)]);

        Assert.Equal(new IndexedValue<int>(0, 4), race.ValueNow());
        Assert.True(cancelled);
    }

    [Fact, Contract("R-DEF-23")]
    public void Race_WhenAllFail_FailsWithAllOfThemInTheOrderGiven()
    {
        Deferred<int>[] inputs = [new(), new()];
        Deferred<IndexedValue<int>> race = Deferred.Race(inputs);

        inputs[1].Errback(new FormatException());
        Assert.False(race.IsFired);
        inputs[0].Errback(new InvalidOperationException());

        var all = Assert.IsType<AggregateException>(race.ErrorNow());
        Assert.Collection(all.InnerExceptions, e => Assert.IsType<InvalidOperationException>(e), e => Assert.IsType<FormatException>(e));
        Assert.All(inputs, input => Assert.Equal(0, input.ValueNow()));
    }

    [Fact, Contract("R-DEF-23")]
    public void Race_Cancelled_CancelsAll()
    {
        var cancelled = new List<int>();
        Deferred<IndexedValue<int>> race = Deferred.Race([new Deferred<int>(_ => cancelled.Add(0)), new Deferred<int>(_ => cancelled.Add(1))]);

        race.Cancel();

        Assert.Equal([0, 1], cancelled);
        var all = Assert.IsType<AggregateException>(race.ErrorNow());
        Assert.All(all.InnerExceptions, error => Assert.IsType<DeferredCancelledException>(error));
    }
}
