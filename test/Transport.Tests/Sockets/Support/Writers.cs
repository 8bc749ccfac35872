namespace LoopBridge.Transport.Tests.Sockets;

/// <summary>Writers of <see cref="Pattern"/> that heed the high-water mark.</summary>
internal static class Writers
{
    /// <summary>On the loop's thread, going on in <c>OnSendDrained</c>.</summary>
    internal static Task WriteOnLoopAsync(this Connected connected, long total, int largest)
    {
        long position = 0;
        var random = new Random(7);
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return Task.WhenAll(done.Task, connected.Loop.InvokeAsync(() =>
        {
            connected.Sink.Drained = GoOn;
            GoOn();
        }));

        void GoOn()
        {
            while (position < total)
            {
                position += Write(connected, random, position, total, largest);
                if (!connected.Socket.Flush())
                {
                    return;
                }
            }

            done.TrySetResult();
        }
    }

    /// <summary>On this thread.</summary>
    internal static async Task WriteOffLoopAsync(this Connected connected, long total, int largest)
    {
        var random = new Random(8);
        for (long position = 0; position < total;)
        {
            position += Write(connected, random, position, total, largest);
            if (!connected.Socket.Flush())
            {
                await connected.Sink.WaitDrainedAsync();
            }
        }
    }

    /// <summary>Now here, now there; one at a time.</summary>
    internal static async Task WriteMixedAsync(this Connected connected, long total, int largest)
    {
        var random = new Random(9);
        for (long position = 0; position < total;)
        {
            long at = position;
            (long written, bool goOn) = random.Next(2) == 0
                ? WriteAndFlush(at)
                : await connected.Loop.InvokeAsync(() => WriteAndFlush(at));
            position += written;
            if (!goOn)
            {
                await connected.Sink.WaitDrainedAsync();
            }
        }

        (long, bool) WriteAndFlush(long position)
        {
            int written = Write(connected, random, position, total, largest);
            return (written, connected.Socket.Flush());
        }
    }

    private static int Write(Connected connected, Random random, long position, long total, int largest)
    {
        int count = (int)Math.Min(random.Next(1, largest + 1), total - position);
        if (random.Next(2) == 0)
        {
            connected.Socket.Write(Pattern.At(position, count).Span);
            return count;
        }

        Memory<byte> room = connected.Socket.GetSendMemory(0);
        count = Math.Min(count, room.Length);
        Pattern.At(position, count).CopyTo(room);
        connected.Socket.AdvanceSend(count);
        return count;
    }
}
