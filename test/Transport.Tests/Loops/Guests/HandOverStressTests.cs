using System.Net.Sockets;
using System.Runtime.InteropServices;
using LoopBridge.Bridge;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Reactors;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Drivers;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Loops.Guests;

/// <summary>
/// Callbacks, timers, handlers of the loop and watchers of the reactor, while guest after guest takes the thread from under them: never two
/// at a time, and each in its order.
/// </summary>
public sealed class HandOverStressTests
{
    private const int HandOvers = 100;

    [Theory]
    [MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task Dispatch_ThroughAHundredHandOvers_IsExclusiveAndInOrder(LoopBridgeMode mode, LoopDriver driver)
    {
        using var logs = new LogCollector();
        using var ofLoop = SocketPair.Tcp();
        using var ofReactor = SocketPair.Tcp();
        var supervision = new LoopSupervision
        {
            OverstayLimit = TimeSpan.FromMilliseconds(1),
            StallLimit = TimeSpan.FromMinutes(1),
            MaxWorkerThreads = 2 * HandOvers,
        };
        using LoopGroup group = LoopGroups.Create(mode, 1, driver, logger: logs.CreateLogger("LoopBridge.Loops"), supervision: supervision);
        LoopMember member = group.Acquire();
        var traffic = new Traffic(member, ofLoop, ofReactor);
        await member.DoAsync(traffic.Begin);
        Task senders = Task.WhenAll(
            OnItsOwnThread(traffic.PostCallbacks),
            OnItsOwnThread(() => traffic.Send(ofLoop.Far)),
            OnItsOwnThread(() => traffic.Send(ofReactor.Far)));

        await traffic.AllHandedOver.WithDeadline();
        traffic.End();
        await senders.WithDeadline();
        await traffic.CheckAsync();
        await member.DoAsync(traffic.Unregister);
        Assert.Equal(HandOvers, logs.Entries.Count(static entry => entry.Id.Name == "LoopHandedOver"));
        Assert.Empty(logs.AtLeast(LogLevel.Warning));
    }

    // Not the pool's: it may have no more threads than there are senders.
    private static Task OnItsOwnThread(Action action)
        => Task.Factory.StartNew(action, TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>All that goes on on one loop.</summary>
    private sealed class Traffic(LoopMember member, SocketPair ofLoop, SocketPair ofReactor) : IReadDescriptor
    {
        private readonly TaskCompletionSource _allHandedOver = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Lock _lock = new();
        private readonly List<string> _errors = [];
        private volatile bool _ended;
        private int _inside;
        private int _guests;
        private int _posted;
        private int _called;
        private int _timers;
        private int _fired;
        private byte _nextOfLoop;
        private byte _nextOfReactor;
        private int _handled;
        private int _watched;

        internal Task AllHandedOver => _allHandedOver.Task;

        public SafeHandle Handle => ofReactor.Near.SafeHandle;

        internal void Begin()
        {
            member.Loop.AddHandler(ofLoop.Near.SafeHandle, IoEvents.Read, (_, _) => Exclusively(() =>
            {
                _handled++;
                Receive(ofLoop.Near, ref _nextOfLoop);
            }));
            member.Loop.GetReactor().AddReader(this);
            Arm();
            InviteNext();
        }

        internal void Unregister()
        {
            member.Loop.RemoveHandler(ofLoop.Near.SafeHandle);
            member.Loop.GetReactor().RemoveReader(this);
        }

        internal void End() => _ended = true;

        internal void PostCallbacks()
        {
            while (!_ended)
            {
                int number = _posted++;
                member.Loop.AddCallback(() => Exclusively(() =>
                {
                    Check(number == _called, $"callback {number} came in the place of {_called}");
                    _called = number + 1;
                }));
                Thread.Yield();
            }
        }

        internal void Send(Socket far)
        {
            byte next = 0;
            while (!_ended)
            {
                far.Send((ReadOnlySpan<byte>)[next++]);
                Thread.Yield();
            }
        }

        public Exception? DoRead()
        {
            Exclusively(() =>
            {
                _watched++;
                Receive(ofReactor.Near, ref _nextOfReactor);
            });
            return null;
        }

        public void ConnectionLost(Exception reason)
        {
        }

        internal async Task CheckAsync()
        {
            await member.DoAsync(static () => { });
            lock (_lock)
            {
                Assert.Empty(_errors);
            }

            Assert.Equal(_posted, _called);
            Assert.True(_called > 0 && _fired > 0 && _handled > 0 && _watched > 0, $"{_called} {_fired} {_handled} {_watched}");
        }

        private void Arm()
        {
            int number = _timers++;
            member.Loop.CallLater(TimeSpan.Zero, _ => Exclusively(() =>
            {
                Check(number == _fired, $"timer {number} came in the place of {_fired}");
                _fired = number + 1;
                if (!_ended)
                {
                    Arm();
                }
            }), null);
        }

        // Each stays until it has lost the loop, and then for a while beside it.
        private void InviteNext()
        {
            var lost = new ManualResetEventSlim();
            var guest = new TestGuest(
                () =>
                {
                    Check(lost.Wait(Deadline.Default), "a guest did not lose the loop");
                    for (int i = 0; i < 100; i++)
                    {
                        Check(!member.Loop.IsOnLoopThread, "a guest is on the loop");
                        Thread.Yield();
                    }
                },
                () =>
                {
                    Check(Volatile.Read(ref _inside) == 0, "the loop went on before it was told");
                    lost.Set();
                    member.Loop.AddCallback(() => Exclusively(() =>
                    {
                        if (++_guests == HandOvers)
                        {
                            _allHandedOver.SetResult();
                        }
                        else
                        {
                            InviteNext();
                        }
                    }));
                });
            member.Invite(guest);
        }

        private void Receive(Socket near, ref byte next)
        {
            Span<byte> buffer = stackalloc byte[7];
            int count = near.Receive(buffer, SocketFlags.None, out _);
            for (int i = 0; i < count; i++)
            {
                Check(buffer[i] == next, $"byte {buffer[i]} came in the place of {next}");
                next = (byte)(buffer[i] + 1);
            }
        }

        private void Exclusively(Action action)
        {
            Check(Interlocked.Exchange(ref _inside, 1) == 0, "two at a time");
            Check(member.Loop.IsOnLoopThread, "not on the loop");
            action();
            Check(Interlocked.Exchange(ref _inside, 0) == 1, "two at a time");
        }

        private void Check(bool holds, string error)
        {
            if (!holds)
            {
                lock (_lock)
                {
                    _errors.Add(error);
                }
            }
        }
    }
}
