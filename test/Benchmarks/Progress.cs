namespace LoopBridge.Benchmarks;

/// <summary>Tells on standard error how far we are; standard output is kept for the results.</summary>
internal static class Progress
{
    public static void Say(string line) => Console.Error.WriteLine(line);
}
