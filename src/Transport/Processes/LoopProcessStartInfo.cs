using System.Collections;
using System.Runtime.InteropServices;

namespace LoopBridge.Processes;

/// <summary>What to start, and with what. May be used for several starts; read during the start only.</summary>
public sealed class LoopProcessStartInfo
{
    private Dictionary<string, string?>? _environment;

    /// <summary>Names a program and its arguments.</summary>
    /// <param name="fileName">
    /// A path, or a name without a slash to look for in the <c>PATH</c> of the child's environment. A relative path counts from
    /// <see cref="WorkingDirectory"/>.
    /// </param>
    /// <param name="arguments">Passed on one by one, byte for byte; no shell has a part in it.</param>
    public LoopProcessStartInfo(string fileName, params IEnumerable<string> arguments)
    {
        ArgumentException.ThrowIfNullOrEmpty(fileName);
        ArgumentNullException.ThrowIfNull(arguments);
        FileName = fileName;
        Arguments = [.. arguments];
    }

    /// <summary>The program.</summary>
    public string FileName { get; }

    /// <summary>The arguments, without the program's name. Defaults to none.</summary>
    public IList<string> Arguments { get; }

    /// <summary>
    /// The child's environment: at first a copy of this process's. Add, change, remove (a null value removes too), or clear it to give
    /// nothing.
    /// </summary>
    public IDictionary<string, string?> Environment => _environment ??= CopyEnvironment();

    /// <summary>Where the child starts. Defaults to the current directory of this process.</summary>
    public string? WorkingDirectory { get; set; }

    /// <summary>Where the child reads from. Defaults to <see cref="ProcessRedirect.Inherit"/>.</summary>
    public ProcessRedirect StandardInput { get; set; } = ProcessRedirect.Inherit;

    /// <summary>Where the child writes to. Defaults to <see cref="ProcessRedirect.Inherit"/>.</summary>
    public ProcessRedirect StandardOutput { get; set; } = ProcessRedirect.Inherit;

    /// <summary>Where the child writes its errors to. Defaults to <see cref="ProcessRedirect.Inherit"/>.</summary>
    public ProcessRedirect StandardError { get; set; } = ProcessRedirect.Inherit;

    /// <summary>
    /// Further descriptors for the child, by the number, 3 or above, under which it finds them. It gets copies; these stay the caller's and
    /// stay open. Any other descriptor of this process is closed in the child. Defaults to none. Linux only.
    /// </summary>
    public IDictionary<int, SafeHandle> ExtraDescriptors { get; } = new SortedDictionary<int, SafeHandle>();

    internal IReadOnlyList<KeyValuePair<string, string>> EffectiveEnvironment
        => [.. from pair in _environment ?? CopyEnvironment()
            where pair.Value is not null
            select KeyValuePair.Create(pair.Key, pair.Value!)];

    internal LoopProcessStartInfo Copy()
    {
        var copy = new LoopProcessStartInfo(FileName, Arguments)
        {
            WorkingDirectory = WorkingDirectory,
            StandardInput = StandardInput,
            StandardOutput = StandardOutput,
            StandardError = StandardError,
            _environment = _environment is null ? null : new Dictionary<string, string?>(_environment, _environment.Comparer),
        };
        foreach ((int number, SafeHandle handle) in ExtraDescriptors)
        {
            copy.ExtraDescriptors[number] = handle;
        }

        return copy;
    }

    /// <summary>What the kernel would cut off or take for something else.</summary>
    internal void Validate()
    {
        Verify(FileName, nameof(FileName));
        if (WorkingDirectory is not null)
        {
            Verify(WorkingDirectory, nameof(WorkingDirectory));
        }

        foreach (string argument in Arguments)
        {
            ArgumentNullException.ThrowIfNull(argument, nameof(Arguments));
            Verify(argument, nameof(Arguments));
        }

        foreach ((string name, string value) in EffectiveEnvironment)
        {
            Verify(name, nameof(Environment));
            Verify(value, nameof(Environment));
            if (name.Length == 0 || name.Contains('='))
            {
                throw new ArgumentException($"'{name}' is no name for an environment variable.", nameof(Environment));
            }
        }

        foreach (int number in ExtraDescriptors.Keys)
        {
            if (number is < 3 or > MaxDescriptor)
            {
                throw new ArgumentException(
                    $"The child's descriptor {number} is not between 3 and {MaxDescriptor}: 0 to 2 are the standard streams.",
                    nameof(ExtraDescriptors));
            }
        }
    }

    // What the usual limit of a process allows (getrlimit(2)), and each number up to the highest costs the child a step.
    private const int MaxDescriptor = 1023;

    private static void Verify(string text, string what)
    {
        if (text.Contains('\0'))
        {
            throw new ArgumentException("A zero character would end the text there: no program can receive it.", what);
        }
    }

    // What a launcher told this process is not for its children: they would take descriptors of their own for listening ones.
    private static Dictionary<string, string?> CopyEnvironment()
    {
        var copy = new Dictionary<string, string?>(OperatingSystem.IsWindows() ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal);
        foreach (DictionaryEntry entry in System.Environment.GetEnvironmentVariables())
        {
            copy[(string)entry.Key] = (string?)entry.Value;
        }

        copy.Remove(WorkerEnvironment.TaskIdVariable);
        copy.Remove(WorkerEnvironment.SocketsVariable);
        return copy;
    }
}
