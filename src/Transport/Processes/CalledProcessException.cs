namespace LoopBridge.Processes;

/// <summary>A child ended with another exit code than zero. Tornado: <c>CalledProcessError</c>.</summary>
public sealed class CalledProcessException : Exception
{
    /// <summary>Makes the exception of one ended child.</summary>
    /// <param name="fileName">The program.</param>
    /// <param name="exitCode">Its exit code, or the negative number of the signal that ended it.</param>
    public CalledProcessException(string fileName, int exitCode)
        : base(exitCode < 0 ? $"'{fileName}' was ended by signal {-exitCode}." : $"'{fileName}' ended with exit code {exitCode}.")
    {
        FileName = fileName;
        ExitCode = exitCode;
    }

    /// <summary>The program.</summary>
    public string FileName { get; }

    /// <summary>Its exit code, or the negative number of the signal that ended it.</summary>
    public int ExitCode { get; }
}
