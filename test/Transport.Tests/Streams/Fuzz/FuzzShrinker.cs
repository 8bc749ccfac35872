namespace LoopBridge.Transport.Tests.Streams.Fuzz;

/// <summary>Simpler cases than one that failed, the boldest first.</summary>
internal static class FuzzShrinker
{
    internal static IEnumerable<FuzzCase> Shrink(FuzzCase origin)
        => ShrinkArray(origin.Steps, ShrinkStep).Select(steps => origin with { Steps = steps })
            .Concat(ShrinkArray(origin.Runs, ShrinkRun).Select(runs => origin with { Runs = runs }))
            .Concat(ShrinkLink(origin));

    private static IEnumerable<FuzzCase> ShrinkLink(FuzzCase origin)
    {
        if (origin.WatchesClosed)
        {
            yield return origin with { WatchesClosed = false };
        }

        if (origin.Capacity != 65536)
        {
            yield return origin with { Capacity = 65536 };
        }

        if (origin.SendPause > 0)
        {
            yield return origin with { SendPause = 0 };
        }

        foreach (int[] sends in ShrinkArray(origin.Sends, ShrinkSize))
        {
            yield return origin with { Sends = sends };
        }

        foreach (int[] pieces in ShrinkArray(origin.Pieces, ShrinkSize))
        {
            yield return origin with { Pieces = pieces };
        }
    }

    private static IEnumerable<ReadStep> ShrinkStep(ReadStep step)
    {
        if (step.TriesAnother)
        {
            yield return step with { TriesAnother = false };
        }

        if (step.CancelAfter is not null)
        {
            yield return step with { CancelAfter = null };
        }

        if (step.Pause > 0)
        {
            yield return step with { Pause = 0 };
        }

        foreach (int count in ShrinkSize(step.Count))
        {
            yield return step with { Count = count };
        }
    }

    private static IEnumerable<(string Text, int Times)> ShrinkRun((string Text, int Times) run)
        => ShrinkSize(run.Times).Select(times => (run.Text, times));

    private static IEnumerable<int> ShrinkSize(int size)
    {
        for (int less = size / 2; less > 0; less /= 2)
        {
            yield return size - less;
        }
    }

    // Halves, then single elements gone, then single elements smaller.
    private static IEnumerable<T[]> ShrinkArray<T>(T[] origin, Func<T, IEnumerable<T>> shrink)
    {
        for (int length = origin.Length / 2; length > 1; length /= 2)
        {
            yield return origin[..length];
            yield return origin[length..];
        }

        for (int i = 0; i < origin.Length; i++)
        {
            yield return [.. origin[..i], .. origin[(i + 1)..]];
        }

        for (int i = 0; i < origin.Length; i++)
        {
            foreach (T less in shrink(origin[i]))
            {
                yield return [.. origin[..i], less, .. origin[(i + 1)..]];
            }
        }
    }
}
