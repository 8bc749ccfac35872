using LoopBridge.Interop;

namespace LoopBridge.Processes;

/// <summary>
/// Finds a program as execvp(3) does, but in the <c>PATH</c> that the child will have. The C library would ask the environment block of
/// this process, which .NET does not keep up to date.
/// </summary>
internal static class ProgramPath
{
    // What execvp(3) searches without a PATH.
    private const string DefaultPath = "/bin:/usr/bin";

    /// <exception cref="ProcessStartException">No folder of the path has it.</exception>
    internal static string Find(string fileName, IReadOnlyList<KeyValuePair<string, string>> environment)
    {
        if (fileName.Contains('/'))
        {
            return fileName;
        }

        string path = environment.FirstOrDefault(pair => pair.Key == "PATH").Value ?? DefaultPath;
        string? refused = null;
        foreach (string folder in path.Split(':'))
        {
            string candidate = Path.Combine(folder.Length == 0 ? "." : folder, fileName);
            if (File.Exists(candidate))
            {
                if (LibC.IsExecutable(candidate))
                {
                    return candidate;
                }

                refused ??= candidate;
            }
        }

        throw new ProcessStartException(fileName, refused is null
            ? $"there is no such program in the PATH, {path}. Name it with its folder, or set PATH in the child's environment."
            : $"{refused} may not be executed by this user. Check its permissions.");
    }
}
