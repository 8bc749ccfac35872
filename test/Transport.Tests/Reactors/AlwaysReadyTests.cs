using LoopBridge.Reactors;
using LoopBridge.Testing;
using Microsoft.Win32.SafeHandles;

namespace LoopBridge.Transport.Tests.Reactors;

/// <summary>Files, which no driver waits for: they are ready in every turn.</summary>
public sealed class AlwaysReadyTests : ReactorContract
{
    [Theory, ReactorStacks]
    [Contract("R-FD-22")]
    public async Task AddReader_File_IsReadOnceInEachTurnToItsEnd(ReactorStack stack)
    {
        byte[] content = [1, 2, 3, 4, 5];
        SafeFileHandle file = OpenFile(content);
        ReactorThread thread = StartReactor(stack);
        var reader = new TestDescriptor(file);
        var received = new List<byte>();
        var turns = new List<int>();
        int turn = 0;
        void CountTurn()
        {
            turn++;
            if (reader.Losses.Count == 0)
            {
                thread.Reactor.CallFromThread(CountTurn);
            }
        }

        reader.OnRead = () =>
        {
            byte[] one = new byte[1];
            turns.Add(turn);
            int count = RandomAccess.Read(file, one, received.Count);
            received.AddRange(one.AsSpan(0, count));
            return count == 0 ? new ConnectionDoneException() : null;
        };
        await thread.Do(() =>
        {
            thread.Reactor.AddReader(reader);
            thread.Reactor.CallFromThread(CountTurn);
        });

        Assert.IsType<ConnectionDoneException>(await reader.Lost.Task.WithDeadline());
        await thread.Turn();
        Assert.Equal(content, received);
        Assert.Equal(turns.Distinct(), turns);
        Assert.Equal(content.Length + 1, reader.Reads);
        Assert.Empty(await thread.Ask(thread.Reactor.GetReaders));
    }

    [Theory, ReactorStacks]
    [Contract("R-FD-22"), Contract("R-FD-03"), Contract("R-FD-12")]
    public async Task AddWriter_File_IsCalledUntilRemovedWhileTheReaderStays(ReactorStack stack)
    {
        SafeFileHandle file = OpenFile([]);
        ReactorThread thread = StartReactor(stack);
        var descriptor = new TestDescriptor(file);
        descriptor.OnWrite = () =>
        {
            RandomAccess.Write(file, [1], descriptor.Writes - 1);
            if (descriptor.Writes == 3)
            {
                thread.Reactor.RemoveWriter(descriptor);
            }

            return null;
        };
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        descriptor.OnRead = () =>
        {
            if (descriptor is { Writes: 3, Reads: > 10 })
            {
                thread.Reactor.RemoveReader(descriptor);
                done.TrySetResult();
            }

            return null;
        };

        await thread.Do(() =>
        {
            thread.Reactor.AddReader(descriptor);
            thread.Reactor.AddWriter(descriptor);
        });
        await done.Task.WithDeadline();
        int reads = descriptor.Reads;
        await thread.Turn();

        Assert.Equal(reads, descriptor.Reads);
        Assert.Equal(3, RandomAccess.GetLength(file));
        Assert.Empty(descriptor.Losses);
    }

    [Theory, ReactorStacks]
    [Contract("R-FD-22"), Contract("R-FD-20"), Contract("R-FD-24")]
    public async Task Dispatch_FileReaderThrows_LosesReaderAndWriterOnce(ReactorStack stack)
    {
        SafeFileHandle file = OpenFile([]);
        ReactorThread thread = StartReactor(stack);
        var reader = new TestDescriptor(file) { OnRead = () => throw new InvalidDataException() };
        var writer = new TestDescriptor(file);

        await thread.Do(() =>
        {
            thread.Reactor.AddReader(reader);
            thread.Reactor.AddWriter(writer);
        });

        Assert.IsType<InvalidDataException>(await reader.Lost.Task.WithDeadline());
        Assert.IsType<InvalidDataException>(await writer.Lost.Task.WithDeadline());
        await thread.Turn();
        Assert.Single(reader.Losses);
        Assert.Single(writer.Losses);
        Assert.IsType<InvalidDataException>(Assert.Single(TakeErrors()));
    }

    [Theory, ReactorStacks]
    [Contract("R-FD-22"), Contract("R-FD-06")]
    public void RemoveAll_Files_GivesTheReferencesBack(ReactorStack stack)
    {
        SafeFileHandle file = OpenFile([]);
        IReactor reactor = NewReactor(stack);
        var descriptor = new TestDescriptor(file);
        reactor.AddReader(descriptor);
        reactor.AddWriter(descriptor);

        Assert.Equal([descriptor], reactor.RemoveAll());
        reactor.CallWhenRunning(reactor.Stop);
        reactor.RunBounded();

        Assert.Equal(0, descriptor.Reads + descriptor.Writes);
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => file.DangerousAddRef(ref _ignored));
    }

    private bool _ignored;

    private SafeFileHandle OpenFile(byte[] content)
    {
        SafeFileHandle file = Own(File.OpenHandle(
            Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()), FileMode.CreateNew, FileAccess.ReadWrite, options: FileOptions.DeleteOnClose));
        RandomAccess.Write(file, content, 0);
        return file;
    }
}
