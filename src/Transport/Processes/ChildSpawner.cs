using System.ComponentModel;
using LoopBridge.Interop;

namespace LoopBridge.Processes;

/// <summary>A program as a child is to run it.</summary>
/// <param name="FileName">The name or path it is asked for by.</param>
/// <param name="Arguments">Without the program's name.</param>
/// <param name="Environment">All of it.</param>
/// <param name="WorkingDirectory">Null: that of this process.</param>
internal sealed record ChildProgram(
    string FileName, IReadOnlyList<string> Arguments, IReadOnlyList<KeyValuePair<string, string>> Environment, string? WorkingDirectory);

/// <summary>Starts programs through posix_spawn(3). Linux.</summary>
internal static unsafe class ChildSpawner
{
    /// <summary>
    /// Whether this kernel has process descriptors (Linux 5.3) with which one child can be waited for and no other (5.4).
    /// </summary>
    internal static bool IsSupported { get; } = OperatingSystem.IsLinux() && Probe();

    /// <summary>Starts a program. The calling thread waits until the child has begun to execute it, some milliseconds at most.</summary>
    /// <exception cref="ProcessStartException">It cannot be started.</exception>
    internal static PidFdChild Start(ChildProgram program, ChildDescriptors descriptors)
    {
        string path = ProgramPath.Find(program.FileName, program.Environment);
        try
        {
            using var actions = new LibC.SpawnActions();
            using var strings = new NativeStrings([path, program.WorkingDirectory ?? "."]);
            using var arguments = new NativeStrings([program.FileName, .. program.Arguments]);
            using var environment = new NativeStrings([.. program.Environment.Select(pair => $"{pair.Key}={pair.Value}")]);
            descriptors.WriteTo(actions);
            if (program.WorkingDirectory is not null)
            {
                actions.ChangeDirectory(strings.List[1]);
            }

            PosixResult result = LibC.Spawn(strings.First, actions, arguments.List, environment.List, out int pid);
            return result.IsOk ? PidFdChild.Open(pid) : throw Failure(program, result.Error);
        }
        catch (Exception e) when (e is IOException and not ProcessStartException or ObjectDisposedException)
        {
            throw new ProcessStartException(program.FileName, e.Message, e); // out of descriptors, or a given one is closed
        }
    }

    private static ProcessStartException Failure(ChildProgram program, Errno error)
    {
        var cause = new Win32Exception((int)error);
        string reason = error switch
        {
            _ when program.WorkingDirectory is { } folder && !Directory.Exists(folder)
                => $"its working directory, {folder}, does not exist.",
            Errno.ENOENT => "there is no such file, or the interpreter that its first line names is missing.",
            Errno.EACCES => "it may not be executed by this user. Check the permissions of the file and of the folders above it.",
            Errno.ENOEXEC => "it is neither a program for this machine nor a script whose first line names an interpreter (#!).",
            _ => $"{cause.Message} ({error}).",
        };
        return new ProcessStartException(program.FileName, reason, cause);
    }

    private static bool Probe()
    {
        PosixResult self = LibC.PidFdOpen(Environment.ProcessId);
        if (!self.IsOk)
        {
            return false;
        }

        // This process is no child of its own: ECHILD from a kernel that understands the question, EINVAL from an older one.
        Errno answer = LibC.Reap(self.Value, out _).Error;
        _ = LibC.Close(self.Value);
        return answer == Errno.ECHILD;
    }
}
