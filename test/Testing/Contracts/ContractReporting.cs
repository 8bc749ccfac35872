using System.Reflection;
using Xunit.Sdk;
using Xunit.v3;

namespace LoopBridge.Testing;

/// <summary>
/// Writes <c>artifacts/contracts</c> when a test assembly ends: its results, and from those of all assemblies <c>report.md</c> and
/// <c>summary.txt</c>. A run of a part of the tests therefore reports the rest of its assembly as missing.
/// </summary>
/// <remarks>An assembly takes part by <c>[assembly: TestPipelineStartup(typeof(ContractReporting))]</c>.</remarks>
public sealed class ContractReporting : ITestPipelineStartup
{
    private const string Marker = "LoopBridge.slnx";

    public ValueTask StartAsync(IMessageSink diagnosticMessageSink) => default;

    public ValueTask StopAsync()
    {
        if (FindRoot() is { } root)
        {
            string folder = Path.Combine(root, "artifacts", "contracts");
            string resultFolder = Path.Combine(folder, "results");
            Directory.CreateDirectory(folder);

            // Several assemblies may end at the same time, and each renders all that there is.
            using FileStream turn = WaitForTurn(Path.Combine(folder, "report.lock"));
            if (ContractResults.Write(resultFolder, Assembly.GetEntryAssembly()!.GetName().Name!))
            {
                IReadOnlyList<ContractResult> results = ContractResults.Read(resultFolder);
                File.WriteAllText(Path.Combine(folder, "report.md"), ContractReport.Render(ContractRows.All, results));
                File.WriteAllText(Path.Combine(folder, "summary.txt"), ContractReport.Summarize(ContractRows.All, results));
            }
        }

        return default;
    }

    private static string? FindRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, Marker)))
        {
            folder = folder.Parent;
        }

        return folder?.FullName;
    }

    private static FileStream WaitForTurn(string path)
    {
        FileStream? file = null;
        SpinWait.SpinUntil(() => (file = TryOpen(path)) is not null, Deadline.Default);
        return file ?? throw new TimeoutException($"Another run does not let go of {path}.");
    }

    private static FileStream? TryOpen(string path)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (IOException)
        {
            return null; // another assembly's turn
        }
        catch (UnauthorizedAccessException)
        {
            return null; // it deletes the file just now (Windows)
        }
    }
}
