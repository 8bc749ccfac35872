using System.Runtime.InteropServices;
using LoopBridge.Interop;
using LoopBridge.Loops;
using LoopBridge.Streams;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Processes;

public sealed partial class LoopProcess
{
    private Child? _child;

    /// <summary>Starts a program with the given arguments. Loop thread.</summary>
    /// <remarks>
    /// The loop waits until the child has begun to execute the program, so that a program that cannot be executed is this call's error:
    /// some milliseconds at most.
    /// </remarks>
    /// <param name="loop">Where its streams live and its end is told.</param>
    /// <param name="startInfo">What to start.</param>
    /// <param name="logger">Told of start and end at debug level, and of a lost exit status. Defaults to none.</param>
    /// <returns>The running child.</returns>
    /// <exception cref="ProcessStartException">It cannot be started; everything made for it is closed.</exception>
    /// <exception cref="ArgumentException">The description names something impossible.</exception>
    /// <exception cref="InvalidOperationException">The caller is not on the loop's thread.</exception>
    /// <exception cref="PlatformNotSupportedException">It is to get descriptors, and this is not Linux.</exception>
    public static LoopProcess Start(IEventLoop loop, LoopProcessStartInfo startInfo, ILogger? logger = null)
        => Start(loop, startInfo, logger, ChildSpawner.IsSupported);

    /// <summary>As above, with a choice of the mechanism.</summary>
    internal static LoopProcess Start(IEventLoop loop, LoopProcessStartInfo startInfo, ILogger? logger, bool spawn)
    {
        ArgumentNullException.ThrowIfNull(loop);
        ArgumentNullException.ThrowIfNull(startInfo);
        startInfo.Validate();
        if (!loop.IsOnLoopThread)
        {
            throw new InvalidOperationException(
                "A process is started on the thread of its loop (IEventLoop.AddCallback brings you there).");
        }

        var process = new LoopProcess(loop, startInfo.FileName, logger);
        try
        {
            if (spawn)
            {
                process.Spawn(startInfo);
            }
            else
            {
                process.StartPortable(startInfo);
            }

            process.WatchExit();
            return process;
        }
        catch
        {
            process.Undo(); // the failure goes on to the caller, and nothing of the attempt may stay (L-PROC-07)
            throw;
        }
    }

    private void Spawn(LoopProcessStartInfo info)
    {
        using var descriptors = new ChildDescriptors();
        var childEnds = new List<SafeHandle>();
        var ends = new List<DescriptorHandle>();
        try
        {
            DescriptorHandle? input = Redirect(descriptors, childEnds, ends, 0, info.StandardInput);
            DescriptorHandle? output = Redirect(descriptors, childEnds, ends, 1, info.StandardOutput);
            DescriptorHandle? error = Redirect(descriptors, childEnds, ends, 2, info.StandardError);
            foreach ((int number, SafeHandle handle) in info.ExtraDescriptors)
            {
                descriptors.Give(number, handle);
            }

            _child = ChildSpawner.Start(
                new ChildProgram(info.FileName, [.. info.Arguments], info.EffectiveEnvironment, info.WorkingDirectory), descriptors);
            StandardInput = input is null ? null : LoopStream.FromPipe(Loop, input, FileAccess.Write);
            StandardOutput = output is null ? null : LoopStream.FromPipe(Loop, output, FileAccess.Read);
            StandardError = error is null ? null : LoopStream.FromPipe(Loop, error, FileAccess.Read);
        }
        catch
        {
            ends.ForEach(end => end.Dispose()); // the failure goes on to the caller; those that no stream has yet are ours to close
            throw;
        }
        finally
        {
            // The child has its copies; with ours open, its end would never be the end of the stream (L-PROC-08).
            childEnds.ForEach(end => end.Dispose());
        }
    }

    // Gives this side's end of a pipe.
    private static DescriptorHandle? Redirect(
        ChildDescriptors descriptors, List<SafeHandle> childEnds, List<DescriptorHandle> ends, int number, ProcessRedirect redirect)
    {
        if (redirect == ProcessRedirect.Inherit)
        {
            descriptors.Inherit(number);
            return null;
        }

        if (redirect.Handle is { } given)
        {
            descriptors.Give(number, given);
            return null;
        }

        if (redirect == ProcessRedirect.Null)
        {
            FileAccess access = number == 0 ? FileAccess.Read : FileAccess.Write;
            childEnds.Add(File.OpenHandle("/dev/null", FileMode.Open, access, FileShare.ReadWrite));
            descriptors.Give(number, childEnds[^1]);
            return null;
        }

        LibC.Pipe(out int readEnd, out int writeEnd).OrThrow("pipe2");
        childEnds.Add(new DescriptorHandle(number == 0 ? readEnd : writeEnd));
        ends.Add(new DescriptorHandle(number == 0 ? writeEnd : readEnd));
        descriptors.Give(number, childEnds[^1]);
        return ends[^1];
    }

    private void Undo()
    {
        StandardInput?.Abort();
        StandardOutput?.Abort();
        StandardError?.Abort();
        _child?.Destroy();
    }

    private void StartPortable(LoopProcessStartInfo info)
    {
        PortableChild child = PortableChild.Start(info);
        _child = child;
        StandardInput = info.StandardInput == ProcessRedirect.Pipe ? LoopStream.FromStream(Loop, child.Input!) : null;
        StandardOutput = info.StandardOutput == ProcessRedirect.Pipe ? LoopStream.FromStream(Loop, child.Output!) : null;
        StandardError = info.StandardError == ProcessRedirect.Pipe ? LoopStream.FromStream(Loop, child.Error!) : null;
    }
}
