using FsCheck;
using FsCheck.Fluent;
using LoopBridge.Streams;

namespace LoopBridge.Transport.Tests.Streams.Fuzz;

/// <summary>
/// Random cases, biased to where readers break: delimiters and what only begins like one, limits around them, sizes around those of the
/// stream's buffers.
/// </summary>
internal static class FuzzGenerator
{
    private static readonly string[] Delimiters = ["\n", "\r\n", "\r\n\r\n", "END", "aa", "aab", "\0"];

    private static readonly string[] NearDelimiters = ["\r", "\r\n\r", "\r\r\n", "EN", "E", "a", "ab", "aba", "\xff"];

    // Each match ends as soon as it can, so that it is the same however little has arrived.
    private static readonly string[] Patterns = [@"\r?\n", @"\n\r?\n", "E[MNO]D", "a[ab]", @"\xff|\0"];

    internal static Arbitrary<FuzzCase> Cases => Arb.From(Case(), FuzzShrinker.Shrink);

    private static Gen<FuzzCase> Case()
        => from runs in Run().ArrayOf()
           from steps in Step(runs.Sum(run => run.Text.Length * run.Times)).ArrayOf()
           from end in Gen.Frequency((5, Gen.Constant(FuzzEnd.Orderly)), (3, Gen.Constant(FuzzEnd.None)), (1, Gen.Constant(FuzzEnd.Reset)))
           from sends in Sizes()
           from sendPause in Gen.Frequency((3, Gen.Constant(0)), (2, Gen.Choose(1, 3)))
           from pieces in Sizes()
           from capacity in Gen.Elements(1, 5, 100, 4096, 65536)
           from watches in Gen.Elements(true, false)
           select new FuzzCase
           {
               Runs = runs,
               Steps = steps,
               End = end,
               Sends = sends,
               SendPause = sendPause,
               Pieces = pieces,
               Capacity = capacity,
               WatchesClosed = watches,
           };

    private static Gen<(string Text, int Times)> Run() => Gen.Frequency(
        (6, Gen.Elements(Delimiters).Select(text => (text, 1))),
        (6, Gen.Elements(NearDelimiters).Select(text => (text, 1))),
        (4, Gen.Choose(1, 12).Select(times => ("x", times))),
        (2, Gen.Choose(2, 40).SelectMany(times => Gen.Elements("\r", "a", "\r\n", "E").Select(text => (text, times)))),
        (1, Gen.Frequency(
            (20, Gen.Choose(50, 500)),
            (4, Gen.Choose(4000, 4200)),
            (2, Gen.Choose(8000, 20_000)),
            (1, Gen.Choose(65_000, 140_000))).Select(times => ("y", times))));

    private static Gen<ReadStep> Step(int length)
        => from step in Operation(length)
           from pause in Gen.Frequency((3, Gen.Constant(0)), (1, Gen.Choose(1, 5)))
           from cancelAfter in Gen.Frequency((4, Gen.Constant<int?>(null)), (1, Gen.Choose(0, 4).Select(turns => (int?)turns)))
           from another in Gen.Frequency((9, Gen.Constant(false)), (1, Gen.Constant(true)))
           select step with { Pause = pause, CancelAfter = cancelAfter, TriesAnother = another };

    private static Gen<ReadStep> Operation(int length) => Gen.Frequency(
        (8, Limited(ReadKind.Until, Delimiters, length)),
        (3, Limited(ReadKind.UntilRegex, Patterns, length)),
        (2, Amount(length).Select(count => new ReadStep(ReadKind.Chunks, count))),
        (1, Gen.Constant(new ReadStep(ReadKind.AllChunks, 0))),
        (5, Amount(length).Select(count => new ReadStep(ReadKind.Exactly, count))),
        (5, Amount(length).Select(count => new ReadStep(ReadKind.Partial, count))),
        (2, Limit(length).Select(limit => new ReadStep(ReadKind.UntilClose, limit))));

    private static Gen<ReadStep> Limited(ReadKind kind, string[] ends, int length)
        => from end in Gen.Elements(ends)
           from limit in Limit(length)
           select new ReadStep(kind, limit, end);

    private static Gen<int> Limit(int length) => Gen.Frequency(
        (2, AboutAll(length)),
        (6, Gen.Constant(LoopStreamOptions.DefaultMaxBufferSize)),
        (3, Gen.Choose(1, 30)),
        (1, Gen.Choose(30, 1000)),
        (1, Gen.Choose(4000, 140_000)));

    private static Gen<int> Amount(int length) => Gen.Frequency(
        (1, AboutAll(length)),
        (1, Gen.Constant(0)),
        (8, Gen.Choose(1, 12)),
        (3, Gen.Choose(12, 600)),
        (1, Gen.Choose(4090, 4200)),
        (1, Gen.Choose(5000, 140_000)));

    // All that is sent, or one more or less: where a limit begins to matter.
    private static Gen<int> AboutAll(int length) => Gen.Choose(-1, 1).Select(off => Math.Max(1, length + off));

    private static Gen<int[]> Sizes() => Gen.Frequency(
        (2, Gen.Constant<int[]>([])),
        (2, Gen.Constant<int[]>([1])),
        (3, Gen.Choose(1, 6).SelectMany(count => Gen.Choose(1, 9).ArrayOf(count))),
        (2, Gen.Choose(1, 4).SelectMany(count => Gen.Frequency((3, Gen.Choose(1, 200)), (1, Gen.Choose(1000, 5000))).ArrayOf(count))));
}
