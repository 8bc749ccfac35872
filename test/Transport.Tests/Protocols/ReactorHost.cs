using System.Net;
using LoopBridge.Bridge;
using LoopBridge.Loops;
using LoopBridge.Protocols;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Protocols;

/// <summary>A loop with its reactor on a thread of its own, and the log of what runs there.</summary>
internal sealed class ReactorHost : IDisposable
{
    private readonly Thread _thread;

    internal ReactorHost(LoopDriver driver)
    {
        Loop = new EventLoop(new EventLoopOptions { Driver = driver, Logger = Log });
        Reactor = (ReactorOnLoop)Loop.GetReactor();
        Options = new TransportOptions { Logger = Log };
        _thread = new Thread(Loop.Start) { IsBackground = true, Name = "test loop" };
        _thread.Start();
    }

    internal EventLoop Loop { get; }

    internal ReactorOnLoop Reactor { get; }

    internal LogList Log { get; } = new();

    internal TransportOptions Options { get; }

    internal IListeningPort Listen(Func<Protocol?> build) => Reactor.ListenTcp(Loopback(), ProtocolFactory.Create(build), Options);

    internal static IPEndPoint Loopback(int port = 0) => new(IPAddress.Loopback, port);

    /// <summary>Runs on the loop, in a turn of its own.</summary>
    internal Task<T> On<T>(Func<T> function)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Loop.AddCallback(() =>
        {
            try
            {
                done.SetResult(function());
            }
            catch (Exception e)
            {
                done.SetException(e); // the test's to see
            }
        });
        return done.Task.WithDeadline();
    }

    internal Task On(Action action) => On(() =>
    {
        action();
        return true;
    });

    public void Dispose()
    {
        Loop.Stop();
        Assert.True(_thread.Join(Deadline.Default), "The loop does not stop.");
        Loop.Dispose();
    }
}
