using System.Globalization;
using System.Runtime.InteropServices;
using LoopBridge.Loops;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Processes;

/// <summary>One run of <see cref="WorkerProcesses"/>. Loop thread, but for the start.</summary>
internal sealed class WorkerSupervisor : IDisposable
{
    private readonly IEventLoop _loop;
    private readonly WorkerProcessesOptions _options;
    private readonly IReadOnlyList<SafeHandle> _sockets;
    private readonly ILogger _logger;
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<WorkerSlot> _slots = [];
    private CancellationTokenRegistration _stopRegistration;
    private LoopTimeout? _killing;
    private Exception? _failure;
    private int _restarts;
    private bool _stopping;

    internal WorkerSupervisor(IEventLoop loop, WorkerProcessesOptions options, IReadOnlyList<SafeHandle> sockets, ILogger logger)
    {
        _loop = loop;
        _options = options;
        _sockets = sockets;
        _logger = logger;
    }

    internal Task RunAsync(CancellationToken stop)
    {
        bool queued = _loop.AddCallback(() =>
        {
            _stopRegistration = stop.Register(() => _loop.AddCallback(Stop));
            Begin();
        });
        return queued ? _done.Task : Task.FromException(new ObjectDisposedException(nameof(IEventLoop)));
    }

    /// <summary>The loop is being closed: workers do not outlive who watches over them.</summary>
    public void Dispose()
    {
        foreach (WorkerSlot slot in _slots)
        {
            slot.Process?.Terminate();
        }

        _stopRegistration.Unregister();
        _done.TrySetException(new ObjectDisposedException(nameof(IEventLoop), "The loop was closed; its workers were asked to end."));
    }

    private void Begin()
    {
        _loop.Own(this);
        _logger.WorkersStarting(_options.Count, _sockets.Count);
        for (int id = 0; id < _options.Count && !_stopping; id++)
        {
            var slot = new WorkerSlot(id, _options.RestartDelay);
            _slots.Add(slot);
            try
            {
                StartWorker(slot);
            }
            catch (Exception e)
            {
                _failure = e; // the program is wrong from the beginning: told by RunAsync, when those before it have been stopped
                _slots.Remove(slot);
                Stop();
            }
        }
    }

    private void StartWorker(WorkerSlot slot)
    {
        LoopProcessStartInfo program = _options.Program.Copy();
        program.Environment[WorkerEnvironment.TaskIdVariable] = slot.TaskId.ToString(CultureInfo.InvariantCulture);
        program.Environment[WorkerEnvironment.SocketsVariable] = _sockets.Count.ToString(CultureInfo.InvariantCulture);
        for (int i = 0; i < _sockets.Count; i++)
        {
            program.ExtraDescriptors[WorkerEnvironment.FirstSocket + i] = _sockets[i];
        }

        slot.Process = LoopProcess.Start(_loop, program, _logger);
        slot.Since = _loop.Time;
        slot.Process.SetExitCallback(status => OnEnded(slot, status));
        _logger.WorkerStarted(slot.TaskId, slot.Process.Id);
        if (_options.Started is { } started)
        {
            LoopResumption.Run(_loop, static state => state.started(state.slot.TaskId, state.slot.Process!), (started, slot));
        }
    }

    private void OnEnded(WorkerSlot slot, int? status)
    {
        LoopProcess process = slot.Process!;
        slot.Process = null;
        if (status == 0 || _stopping)
        {
            _logger.WorkerEnded(slot.TaskId, process.Id);
            Leave(slot);
        }
        else
        {
            Replace(slot, process.Id, status);
        }
    }

    private void Replace(WorkerSlot slot, int processId, int? status)
    {
        if (_restarts == _options.MaxRestarts)
        {
            _logger.WorkerRestartsExhausted(_restarts);
            _failure = new WorkerRestartException(_options.Program.FileName, _restarts);
            Stop();
            Leave(slot);
            return;
        }

        _restarts++;
        TimeSpan delay = slot.NextDelay(_loop.Time, _options.RestartDelay, _options.MaxRestartDelay);
        _logger.WorkerReplaced(slot.TaskId, processId, status, delay);
        slot.Replacement = _loop.CallLater(delay, () =>
        {
            slot.Replacement = null;
            try
            {
                StartWorker(slot);
            }
            catch (Exception e)
            {
                // It could be started before: out of descriptors or memory, perhaps. As good as one that ended at once.
                _logger.WorkerStartFailed(e, slot.TaskId);
                Replace(slot, processId, status);
            }
        });
    }

    private void Stop()
    {
        if (_stopping)
        {
            return;
        }

        _stopping = true;
        foreach (WorkerSlot slot in _slots.ToArray())
        {
            if (slot.Replacement is { } replacement)
            {
                _loop.RemoveTimeout(replacement);
                Leave(slot);
            }
            else
            {
                slot.Process?.Terminate();
            }
        }

        if (_slots.Count > 0)
        {
            _killing = _loop.CallLater(_options.ShutdownTimeout, Kill);
        }
        else
        {
            Finish();
        }
    }

    private void Kill()
    {
        _killing = null;
        foreach (WorkerSlot slot in _slots)
        {
            if (slot.Process is { } process && process.Kill())
            {
                _logger.WorkerKilled(slot.TaskId, process.Id, _options.ShutdownTimeout);
            }
        }
    }

    private void Leave(WorkerSlot slot)
    {
        _slots.Remove(slot);
        if (_slots.Count == 0)
        {
            Finish();
        }
    }

    private void Finish()
    {
        if (_done.Task.IsCompleted)
        {
            return;
        }

        _loop.Disown(this);
        _stopRegistration.Unregister();
        if (_killing is not null)
        {
            _loop.RemoveTimeout(_killing);
        }

        if (_failure is null)
        {
            _done.SetResult();
        }
        else
        {
            _done.SetException(_failure);
        }
    }
}
