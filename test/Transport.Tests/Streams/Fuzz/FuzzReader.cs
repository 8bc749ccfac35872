using System.Text;
using System.Text.RegularExpressions;
using LoopBridge.Streams;

namespace LoopBridge.Transport.Tests.Streams.Fuzz;

/// <summary>Reads a stream as a case says and compares each answer with the model. Loop code, on any loop.</summary>
internal sealed class FuzzReader
{
    // Turns to let a read stand that must never be done.
    private const int Patience = 4;

    private const byte Untouched = 0xA5;

    private readonly LoopStream _stream;
    private readonly FuzzCase _case;
    private readonly StreamModel _model;
    private readonly List<byte[]> _cancelledTargets = [];

    internal FuzzReader(LoopStream stream, FuzzCase fuzzCase)
    {
        _stream = stream;
        _case = fuzzCase;
        _model = new StreamModel(fuzzCase.Data, fuzzCase.End == FuzzEnd.Orderly);
    }

    internal async Task RunAsync()
    {
        CancellationToken closed = _case.WatchesClosed ? _stream.Closed : CancellationToken.None;
        foreach (ReadStep step in _case.Steps)
        {
            await ReadAsync(step);
        }

        // Whatever happened, nothing may be lost, doubled or out of order: the rest is what is left.
        if (_case.End == FuzzEnd.Orderly)
        {
            await ReadAsync(new ReadStep(ReadKind.UntilClose, _case.Data.Length + 1));
        }
        else
        {
            await ReadAsync(new ReadStep(ReadKind.Exactly, _model.Rest.Length));
        }

        if (closed.CanBeCanceled && _case.End == FuzzEnd.Orderly)
        {
            await WaitAsync(closed);
        }

        Require(
            _cancelledTargets.TrueForAll(target => !target.AsSpan().ContainsAnyExcept(Untouched)),
            "a buffer was written to after its read was cancelled");
    }

    private async Task ReadAsync(ReadStep step)
    {
        await TurnsAsync(step.Pause);
        using var cancellation = new CancellationTokenSource();
        Expected expected = _model.Expect(step);
        Outcome outcome = await CompleteAsync(step, expected, cancellation);
        if (outcome.Failure is not null)
        {
            Require(_model.Rest.StartsWith(outcome.Bytes), $"wrong pieces, {outcome}", step);
            _model.Consume(outcome.Bytes.Length);
        }

        if (outcome.Failure is OperationCanceledException && (step.CancelAfter is not null || expected.Kind == ExpectedKind.Waits))
        {
            return; // nothing else was consumed; the next steps find out
        }

        Compare(step, expected, outcome);
    }

    private async Task<Outcome> CompleteAsync(ReadStep step, Expected expected, CancellationTokenSource cancellation)
    {
        byte[] target = step.Kind is ReadKind.Exactly or ReadKind.Partial ? new byte[step.Count] : [];
        Task<Outcome> reading = StartAsync(step, target, cancellation.Token);
        if (step.TriesAnother && !reading.IsCompleted)
        {
            Exception? refusal = Record.Exception(() => { _ = _stream.ReadAsync(new byte[1], CancellationToken.None).AsTask(); });
            Require(refusal is InvalidOperationException, $"a second read was answered by {refusal?.GetType().Name ?? "nothing"}", step);
        }

        bool waits = expected.Kind == ExpectedKind.Waits && _case.End != FuzzEnd.Reset;
        if (step.CancelAfter is null && !waits)
        {
            return await reading;
        }

        await TurnsAsync(step.CancelAfter ?? Patience);
        bool done = reading.IsCompleted;
#pragma warning disable CA1849 // the other form cancels on a thread of the pool, and a manual loop waits for none
        cancellation.Cancel();
#pragma warning restore CA1849
        Outcome outcome = await reading;
        if (outcome.Failure is OperationCanceledException && !done)
        {
            target.AsSpan().Fill(Untouched);
            _cancelledTargets.Add(target);
        }

        return outcome;
    }

    private async Task<Outcome> StartAsync(ReadStep step, byte[] target, CancellationToken token)
    {
        bool started = false;
        try
        {
            switch (step.Kind)
            {
                case ReadKind.Until:
                    ValueTask<byte[]> until = _stream.ReadUntilAsync(Encoding.Latin1.GetBytes(step.Delimiter), step.Count, token);
                    started = true;
                    return new Outcome(await until);
                case ReadKind.UntilRegex:
                    ValueTask<byte[]> untilRegex = _stream.ReadUntilRegexAsync(new Regex(step.Delimiter), step.Count, token);
                    started = true;
                    return new Outcome(await untilRegex);
                case ReadKind.Chunks or ReadKind.AllChunks:
                    return await ReadChunksAsync(step.Kind == ReadKind.Chunks ? step.Count : null, token);
                case ReadKind.UntilClose:
                    ValueTask<byte[]> untilClose = _stream.ReadUntilCloseAsync(step.Count, token);
                    started = true;
                    return new Outcome(await untilClose);
                case ReadKind.Exactly:
                    ValueTask exactly = _stream.ReadExactlyAsync(target, token);
                    started = true;
                    await exactly;
                    return new Outcome(target);
                default:
                    ValueTask<int> partial = _stream.ReadAsync(target, token);
                    started = true;
                    return new Outcome(target[..await partial]);
            }
        }
        catch (Exception e)
        {
            return new Outcome([], e, IsFromTheCall: !started);
        }
    }

    // What a piece held is the reader's even if no other follows.
    private async Task<Outcome> ReadChunksAsync(long? count, CancellationToken token)
    {
        var all = new MemoryStream();
        try
        {
            await foreach (ReadOnlyMemory<byte> piece in _stream.ReadChunksAsync(count, token))
            {
                Require(!piece.IsEmpty && piece.Length <= LoopStreamOptions.DefaultReadChunkSize, $"a piece of {piece.Length} bytes");
                all.Write(piece.Span);
            }
        }
        catch (Exception e) when (e is StreamClosedException or OperationCanceledException)
        {
            return new Outcome(all.ToArray(), e); // compared with what was expected
        }

        return new Outcome(all.ToArray());
    }

    private void Compare(ReadStep step, Expected expected, Outcome outcome)
    {
        if (_case.End == FuzzEnd.Reset && outcome.Failure is StreamClosedException { InnerException: not UnsatisfiableReadException })
        {
            return; // what had not arrived is lost with a reset, whenever it comes; what had is still to be read in order
        }

        switch (expected.Kind)
        {
            case ExpectedKind.Closed:
                Require(outcome.Failure is StreamClosedException, $"expected a closed stream, got {outcome}", step);
                break;
            case ExpectedKind.Limit:
                Require(
                    outcome.Failure is StreamClosedException { InnerException: UnsatisfiableReadException } && !outcome.IsFromTheCall,
                    $"expected the limit to be met, got {outcome}", step);
                _model.Abandon();
                break;
            case ExpectedKind.Waits:
                Require(false, $"expected a wait without end, got {outcome}", step);
                break;
            default:
                Require(outcome.Failure is null, $"expected {expected}, got {outcome}", step);
                int count = outcome.Bytes.Length;
                bool isCount = expected.Kind == ExpectedKind.Bytes ? count == expected.Count : count > 0 && count <= expected.Count;
                Require(isCount && outcome.Bytes.AsSpan().SequenceEqual(_model.Rest[..count]), $"expected {expected}, got {outcome}", step);
                _model.Consume(count);
                break;
        }
    }

    private static async Task TurnsAsync(int turns)
    {
        for (int i = 0; i < turns; i++)
        {
            await Task.Yield();
        }
    }

    private static async Task WaitAsync(CancellationToken token)
    {
        var fired = new TaskCompletionSource();
        using (token.Register(fired.SetResult))
        {
            await fired.Task;
        }
    }

    private void Require(bool holds, string what, ReadStep? step = null)
    {
        if (!holds)
        {
            throw new Xunit.Sdk.XunitException($"At byte {_model.Position}, {(object?)step ?? "at the end"}: {what}.");
        }
    }

    private sealed record Outcome(byte[] Bytes, Exception? Failure = null, bool IsFromTheCall = false)
    {
        public override string ToString() => Failure is null
            ? $"{Bytes.Length} bytes {FuzzCase.Printable(Encoding.Latin1.GetString(Bytes.AsSpan(0, Math.Min(Bytes.Length, 60))))}"
            : $"{(IsFromTheCall ? "from the call " : "")}{Failure}";
    }
}
