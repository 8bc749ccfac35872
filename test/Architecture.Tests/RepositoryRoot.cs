namespace LoopBridge.Architecture.Tests;

/// <summary>Where the files are that are read as they stand.</summary>
internal static class RepositoryRoot
{
    // Not by the compiler's idea of the path, which a deterministic build hides.
    public static string Find()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "LoopBridge.slnx")))
        {
            folder = folder.Parent;
        }

        Assert.NotNull(folder);
        return folder.FullName;
    }

    /// <summary>The lines of the README below a heading, to the next one of its rank.</summary>
    public static IEnumerable<string> ReadmeSection(string heading)
    {
        string[] lines = File.ReadAllLines(Path.Combine(Find(), "README.md"));
        int start = Array.IndexOf(lines, heading);
        Assert.True(start >= 0, $"The README has no section '{heading}'.");
        return lines.Skip(start + 1).TakeWhile(line => !line.StartsWith("## ", StringComparison.Ordinal));
    }
}
