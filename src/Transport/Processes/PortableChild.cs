using System.ComponentModel;
using System.Diagnostics;
using LoopBridge.Interop;
using LoopBridge.Loops;

namespace LoopBridge.Processes;

/// <summary>
/// A child of <see cref="System.Diagnostics.Process"/>: Windows, macOS, and Linux before process descriptors. The exit code is what .NET
/// makes of it, on Unix 128 and the number for a signal.
/// </summary>
internal sealed class PortableChild : Child
{
    private readonly Process _process;

    private PortableChild(Process process)
    {
        _process = process;
        Id = process.Id;
        Input = process.StartInfo.RedirectStandardInput ? process.StandardInput.BaseStream : null;
        Output = process.StartInfo.RedirectStandardOutput ? process.StandardOutput.BaseStream : null;
        Error = process.StartInfo.RedirectStandardError ? process.StandardError.BaseStream : null;
    }

    internal override int Id { get; }

    /// <summary>This side of each standard stream that is redirected.</summary>
    internal Stream? Input { get; }

    internal Stream? Output { get; }

    internal Stream? Error { get; }

    /// <exception cref="ProcessStartException">It cannot be started.</exception>
    /// <exception cref="PlatformNotSupportedException">It is to get descriptors.</exception>
    internal static PortableChild Start(LoopProcessStartInfo info)
    {
        ProcessRedirect[] streams = [info.StandardInput, info.StandardOutput, info.StandardError];
        if (info.ExtraDescriptors.Count > 0 || streams.Any(stream => stream.Handle is not null))
        {
            throw new PlatformNotSupportedException("Descriptors of this process can be given to a child on Linux only. Use pipes.");
        }

        var start = new ProcessStartInfo(info.FileName, info.Arguments)
        {
            WorkingDirectory = info.WorkingDirectory ?? "",
            RedirectStandardInput = info.StandardInput != ProcessRedirect.Inherit,
            RedirectStandardOutput = info.StandardOutput != ProcessRedirect.Inherit,
            RedirectStandardError = info.StandardError != ProcessRedirect.Inherit,
        };
        start.Environment.Clear();
        foreach ((string name, string value) in info.EffectiveEnvironment)
        {
            start.Environment[name] = value;
        }

        try
        {
            var child = new PortableChild(Process.Start(start)!);
            child.Silence(info);
            return child;
        }
        catch (Win32Exception e)
        {
            throw new ProcessStartException(info.FileName, e.Message, e);
        }
    }

    internal override void Watch(IEventLoop loop, Action<int?> exited) => _ = WaitAsync(loop, exited);

    // .NET reaps it whether or not somebody waits.
    internal override void Abandon()
    {
    }

    internal override void Destroy()
    {
        _process.Kill();
        _process.Dispose();
    }

    internal override bool Signal(int signal)
    {
        try
        {
            if (_process.HasExited)
            {
                return false;
            }

            if (signal == LibC.SIGKILL)
            {
                _process.Kill();
                return true;
            }
        }
        catch (InvalidOperationException)
        {
            return false; // expected: it has ended, and the wait disposed of the process object
        }

        return OperatingSystem.IsWindows()
            ? throw new PlatformNotSupportedException("Windows knows no signals: Kill ends a process there.")
            : LibC.Kill(Id, signal).Error switch
            {
                Errno.None => true,
                Errno.ESRCH => false,
                Errno error => throw new Win32Exception((int)error, $"The signal {signal} cannot be sent to process {Id}: {error}."),
            };
    }

    // "Null" for .NET is a pipe that this side does not use.
    private void Silence(LoopProcessStartInfo info)
    {
        if (info.StandardInput == ProcessRedirect.Null)
        {
            Input!.Dispose();
        }

        if (info.StandardOutput == ProcessRedirect.Null)
        {
            _ = DrainAsync(Output!);
        }

        if (info.StandardError == ProcessRedirect.Null)
        {
            _ = DrainAsync(Error!);
        }
    }

    private static async Task DrainAsync(Stream stream)
    {
        try
        {
            await using (stream)
            {
                await stream.CopyToAsync(Stream.Null).ConfigureAwait(false);
            }
        }
        catch (IOException)
        {
            // The child broke its end: there is nothing more to drop.
        }
    }

    private async Task WaitAsync(IEventLoop loop, Action<int?> exited)
    {
        int? status;
        try
        {
            await _process.WaitForExitAsync().ConfigureAwait(false);
            status = _process.ExitCode;
        }
        catch (InvalidOperationException)
        {
            status = null; // .NET could not find out
        }
        finally
        {
            _process.Dispose(); // not of its streams, which were taken out of it
        }

        loop.AddCallback(() => exited(status));
    }
}
