using System.Reflection;
using LoopBridge.Loops;

namespace LoopBridge.Architecture.Tests;

/// <summary>
/// Every public member is a line of a text file, so that a change of the surface is a change in a review. After one that was meant, run
/// with <c>LOOPBRIDGE_ACCEPT_SURFACE=1</c> and commit the file.
/// </summary>
public sealed class PublicSurfaceTests
{
    [Theory]
    [InlineData("LoopBridge.Transport")]
    [InlineData("LoopBridge")]
    public void PublicSurface_IsTheReviewedOne(string assemblyName)
    {
        Assembly assembly = assemblyName == "LoopBridge" ? typeof(ILoopHandler).Assembly : typeof(EventLoop).Assembly;
        string actual = PublicSurface.Describe(assembly);
        string file = Path.Combine(SourceFolder(), "PublicSurface", assemblyName + ".txt");
        if (Environment.GetEnvironmentVariable("LOOPBRIDGE_ACCEPT_SURFACE") == "1")
        {
            File.WriteAllText(file, actual);
        }

        Assert.Equal(File.ReadAllText(file).ReplaceLineEndings("\n"), actual);
    }

    // Not by the compiler's idea of the path, which a deterministic build hides.
    private static string SourceFolder()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "LoopBridge.slnx")))
        {
            folder = folder.Parent;
        }

        Assert.NotNull(folder);
        return Path.Combine(folder.FullName, "test", "Architecture.Tests");
    }
}
