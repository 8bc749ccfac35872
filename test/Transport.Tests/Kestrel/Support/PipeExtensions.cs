using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Connections;

namespace LoopBridge.Transport.Tests.Kestrel;

/// <summary>Reads and waits on a connection, each bounded.</summary>
internal static class PipeExtensions
{
    internal static Task<ReadResult> ReadSoonAsync(this PipeReader reader) => reader.ReadAsync(CancellationToken.None).WithDeadline();

    /// <summary>Reads until there are so many bytes, consumes them and gives them as text.</summary>
    internal static async Task<string> ReadTextAsync(this PipeReader reader, int count)
    {
        ReadResult result = await reader.ReadAtLeastAsync(count, CancellationToken.None).WithDeadline();
        Assert.True(result.Buffer.Length >= count, $"The input ended after {result.Buffer.Length} of {count} bytes.");
        ReadOnlySequence<byte> wanted = result.Buffer.Slice(0, count);
        string text = Encoding.ASCII.GetString(wanted);
        reader.AdvanceTo(wanted.End);
        return text;
    }

    /// <summary>Reads to the end, consuming all, and tells how much it was.</summary>
    internal static async Task<long> DrainAsync(this PipeReader reader)
    {
        long total = 0;
        while (true)
        {
            ReadResult result = await reader.ReadSoonAsync();
            total += result.Buffer.Length;
            reader.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
            {
                return total;
            }
        }
    }

    internal static Task WriteTextAsync(this PipeWriter writer, string text)
        => writer.WriteAsync(Encoding.ASCII.GetBytes(text), CancellationToken.None).WithDeadline();

    /// <summary>Waits for the token.</summary>
    internal static async Task ClosedAsync(this ConnectionContext connection)
    {
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using (connection.ConnectionClosed.Register(closed.SetResult))
        {
            await closed.Task.WithDeadline();
        }
    }

    /// <summary>Fails if it is not so within the deadline.</summary>
    internal static void Eventually(Func<bool> condition, string otherwise)
        => Assert.True(SpinWait.SpinUntil(condition, Deadline.Default), otherwise);
}
