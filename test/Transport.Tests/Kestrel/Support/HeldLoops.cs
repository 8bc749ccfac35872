using LoopBridge.Loops;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Kestrel;

/// <summary>
/// Keeps every loop of a group busy until disposed of, as a handler does that blocks: what clients do meanwhile waits in the kernel.
/// </summary>
internal sealed class HeldLoops : IDisposable
{
    private readonly ManualResetEventSlim _release = new();
    private readonly CountdownEvent _entered;

    private HeldLoops(LoopGroup group)
    {
        _entered = new CountdownEvent(group.Count);
        foreach (LoopMember member in group.Members)
        {
            Assert.True(member.Loop.AddCallback(Hold));
        }
    }

    /// <summary>When this returns each loop stands.</summary>
    internal static HeldLoops Hold(LoopGroup group)
    {
        group.Start();
        var held = new HeldLoops(group);
        Assert.True(held._entered.Wait(Deadline.Default), "The loops are not to be had.");
        return held;
    }

    public void Dispose() => _release.Set();

    private void Hold()
    {
        _entered.Signal();
        Assert.True(_release.Wait(Deadline.Default * 2), "Nobody released the loops.");
    }
}
