using System.ComponentModel;
using LoopBridge.Drivers;
using LoopBridge.Interop;
using LoopBridge.Loops;

namespace LoopBridge.Processes;

/// <summary>
/// A child behind a process descriptor, pidfd_open(2): readable when it ends, and waited for alone. No handler of SIGCHLD is involved, so
/// that any number of loops, and <see cref="System.Diagnostics.Process"/> beside them, each see to their own children.
/// </summary>
internal sealed class PidFdChild : Child
{
    private readonly DescriptorHandle? _pidFd;
    private IEventLoop? _loop;
    private bool _watchedHere;

    private PidFdChild(int pid, DescriptorHandle? pidFd)
    {
        Id = pid;
        _pidFd = pidFd;
    }

    internal override int Id { get; }

    /// <summary>Takes charge of a child that was just started.</summary>
    /// <exception cref="IOException">The process is out of descriptors. The child is killed.</exception>
    internal static PidFdChild Open(int pid)
    {
        PosixResult result = LibC.PidFdOpen(pid);
        if (result.IsOk)
        {
            return new PidFdChild(pid, new DescriptorHandle(result.Value));
        }

        // Reaped before we could look: by somebody who waits for any child, or by the kernel because SIGCHLD is ignored.
        if (result.Error == Errno.ESRCH)
        {
            return new PidFdChild(pid, pidFd: null);
        }

        Destroy(pid);
        result.OrThrow("pidfd_open");
        throw new InvalidOperationException("Not reached: the result is an error.");
    }

    internal override void Watch(IEventLoop loop, Action<int?> exited)
    {
        _loop = loop;
        if (_pidFd is null)
        {
            loop.AddCallback(() => exited(null));
            return;
        }

        try
        {
            WatchOn(loop, _pidFd, exited);
            _watchedHere = true;
        }
        catch (IOException)
        {
            // Expected from a driver that watches sockets only.
            WatchElsewhere(status => loop.AddCallback(() => exited(status)));
        }
    }

    internal override void Abandon()
    {
        if (_watchedHere && _pidFd is { IsClosed: false })
        {
            _loop!.RemoveHandler(_pidFd);
            try
            {
                WatchElsewhere(static _ => { });
            }
            catch (IOException)
            {
                _pidFd.Dispose(); // out of descriptors: the child stays a zombie until this process ends
            }
        }
    }

    internal override void Destroy()
    {
        if (_pidFd is not null)
        {
            _pidFd.Dispose();
            Destroy(Id);
        }
    }

    internal override bool Signal(int signal)
    {
        bool referenced = false;
        try
        {
            if (_pidFd is null)
            {
                return false;
            }

            _pidFd.DangerousAddRef(ref referenced);
            PosixResult result = LibC.PidFdSendSignal(_pidFd.Number, signal);
            return result.Error switch
            {
                Errno.None => true,
                Errno.ESRCH => false,
                Errno.EINVAL => throw new ArgumentOutOfRangeException(nameof(signal), signal, "There is no such signal."),
                _ => throw new Win32Exception((int)result.Error, $"The signal {signal} cannot be sent to process {Id}: {result.Error}."),
            };
        }
        catch (ObjectDisposedException)
        {
            return false; // expected: it ended, and its status was taken
        }
        finally
        {
            if (referenced)
            {
                _pidFd!.DangerousRelease();
            }
        }
    }

    private static void WatchOn(IEventLoop loop, DescriptorHandle pidFd, Action<int?> exited)
        => loop.AddHandler(pidFd, IoEvents.Read, (_, _) =>
        {
            PosixResult reaped = LibC.Reap(pidFd.Number, out int status);
            if (reaped.IsOk && reaped.Value == 0)
            {
                return; // not yet
            }

            // First the watch, then the descriptor. An error is ECHILD: somebody else was faster.
            loop.RemoveHandler(pidFd);
            pidFd.Dispose();
            exited(reaped.IsOk ? status : null);
        });

    private void WatchElsewhere(Action<int?> exited)
    {
        IEventLoop shared = SharedExitLoop.Acquire();
        shared.AddCallback(() => WatchOn(shared, _pidFd!, status =>
        {
            SharedExitLoop.Release();
            exited(status);
        }));
    }

    private static void Destroy(int pid)
    {
        _ = LibC.Kill(pid, LibC.SIGKILL); // ESRCH and ECHILD: gone already, which is as good
        _ = LibC.WaitForEnd(pid);
    }
}
