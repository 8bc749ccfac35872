using System.Globalization;
using LoopBridge.Interop;
using LoopBridge.Processes;
using LoopBridge.Streams;
using LoopBridge.Testing;
using Microsoft.Win32.SafeHandles;

namespace LoopBridge.Transport.Tests.Processes;

/// <summary>What a child has of its parent: the descriptors it was given, and nothing else.</summary>
public sealed class HygieneTests : ProcessContract
{
    private const int HighNumber = 200;

    // Signals 32 and 33, which glibc keeps for its threads, and leaves ignored in what it spawns.
    private const ulong CLibrarysOwn = 3UL << 31;

    [Theory, LoopStacks]
    [Contract("L-PROC-08")]
    public async Task Start_WhileOthersStart_ChildHasThreeDescriptors(LoopStack stack)
    {
        LoopThread[] threads = [StartLoop(stack), StartLoop(stack)];
        await Task.WhenAll(threads.Select(thread => thread.RunAsync(async loop =>
        {
            var children = new List<LoopProcess>();
            for (int i = 0; i < 20; i++)
            {
                children.Add(Start(loop, Shell("echo ready; read -r go")));
                await children[^1].StandardOutput!.ReadUntilAsync(NewLine); // past the dynamic loader, which opens files of its own
                AssertDescriptors([0, 1, 2], children[^1].Id);
            }

            foreach (LoopProcess child in children)
            {
                await child.StandardInput!.CloseAsync();
                await child.WaitForExitAsync(raiseError: false);
                await child.DisposeAsync();
            }
        })));
    }

    [Theory, LoopStacks]
    [Contract("L-PROC-08")]
    public async Task Start_ParentsEndOfTheOutput_IsTheOnlyOneLeft(LoopStack stack)
    {
        await StartLoop(stack).RunAsync(async loop =>
        {
            LeakCheck leaks = LeakCheck.Begin();
            var info = new LoopProcessStartInfo("true") { StandardOutput = ProcessRedirect.Pipe };
            LoopProcess process = Start(loop, info);

            // With the child's end still open here, the end of the stream would never come.
            Assert.Empty(await process.StandardOutput!.ReadUntilCloseAsync());
            await process.WaitForExitAsync();
            await process.DisposeAsync();
            leaks.Verify();
        });
    }

    [Theory, LoopStacks]
    [Contract("L-PROC-08")]
    public async Task CreatePipe_BothEnds_AreCloseOnExec(LoopStack stack)
    {
        await StartLoop(stack).RunAsync(async loop =>
        {
            HashSet<int> before = OpenInheritable();
            (LoopStream reader, LoopStream writer) = LoopStream.CreatePipe(loop);
            Assert.Subset(before, OpenInheritable());
            await writer.CloseAsync();
            await reader.CloseAsync();
        });
    }

    [Theory, InlineData(false), InlineData(true)]
    [Contract("L-PROC-08")]
    public void Start_InheritableDescriptorsOfTheParent_AreClosedWithEitherLibrary(bool closeOneByOne)
    {
        int high = LibC.Duplicate(0, HighNumber).OrThrow("fcntl");
        try
        {
            ClearCloseOnExec(high);
            using SafeFileHandle nothing = File.OpenHandle("/dev/null", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            using var descriptors = new ChildDescriptors { CloseOneByOne = closeOneByOne };
            descriptors.Give(0, nothing);
            descriptors.Give(2, nothing);
            descriptors.Give(5, nothing);
            var program = new ChildProgram("sleep", ["1000"], [KeyValuePair.Create("PATH", "/bin:/usr/bin")], null);
            PidFdChild child = ChildSpawner.Start(program, descriptors);
            try
            {
                AssertDescriptors([0, 2, 5], child.Id);
            }
            finally
            {
                child.Destroy();
            }
        }
        finally
        {
            LibC.Close(high).OrThrow("close");
        }
    }

    [Theory, LoopStacks]
    [Contract("L-PROC-08")]
    public async Task ExtraDescriptors_NumbersSwapped_EachGoesToItsPlace(LoopStack stack)
    {
        string folder = Directory.CreateTempSubdirectory("loopbridge").FullName;
        try
        {
            await StartLoop(stack).RunAsync(async loop =>
            {
                using SafeFileHandle first = File.OpenHandle(Path.Combine(folder, "first"), FileMode.CreateNew, FileAccess.Write);
                using SafeFileHandle second = File.OpenHandle(Path.Combine(folder, "second"), FileMode.CreateNew, FileAccess.Write);
                (int a, int b) = ((int)first.DangerousGetHandle(), (int)second.DangerousGetHandle());
                LoopProcessStartInfo info = Shell($"echo first > /proc/self/fd/{b}; echo second > /proc/self/fd/{a}");
                info.ExtraDescriptors[b] = first;
                info.ExtraDescriptors[a] = second;
                LoopProcess process = Start(loop, info);
                await process.WaitForExitAsync();
                await process.DisposeAsync();
                Assert.False(first.IsClosed || second.IsClosed);
            });
            foreach (string name in (string[])["first", "second"])
            {
                Assert.Equal($"{name}\n", await File.ReadAllTextAsync(Path.Combine(folder, name), TestContext.Current.CancellationToken));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory, LoopStacks]
    [Contract("L-PROC-09")]
    public async Task Start_SignalsIgnoredHere_AreAtDefaultAndUnblockedInTheChild(LoopStack stack)
    {
        // The runtime ignores SIGPIPE itself.
        Assert.NotEqual(0UL, SignalsOf("self", "SigIgn"));
        await StartLoop(stack).RunAsync(async loop =>
        {
            LoopProcess process = Start(loop, new LoopProcessStartInfo("sleep", "1000"));
            string id = process.Id.ToString(CultureInfo.InvariantCulture);
            Assert.Equal(0UL, SignalsOf(id, "SigIgn") & ~CLibrarysOwn);
            Assert.Equal(0UL, SignalsOf(id, "SigBlk"));
            process.Kill();
            await process.ExitTask;
        });
    }

    internal static ulong SignalsOf(string process, string kind)
    {
        string line = File.ReadLines($"/proc/{process}/status").Single(line => line.StartsWith(kind, StringComparison.Ordinal));
        return ulong.Parse(line.Split('\t')[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }

    // The parent goes on when the child has given back its memory; what is close-on-exec goes a moment later (begin_new_exec in the kernel).
    private static void AssertDescriptors(int[] expected, int process)
    {
        int[] found = [];
        bool matched = SpinWait.SpinUntil(() => (found = DescriptorsOf(process)).SequenceEqual(expected), Deadline.Default);
        Assert.True(matched, $"The child has the descriptors {string.Join(", ", found)}.");
    }

    private static int[] DescriptorsOf(int process)
        => [.. Directory.EnumerateFileSystemEntries($"/proc/{process}/fd")
            .Select(path => int.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture))
            .Order()];

    private static HashSet<int> OpenInheritable()
        => [.. DescriptorsOf(Environment.ProcessId).Where(number => LibC.IsInheritable(number, out bool inheritable).IsOk && inheritable)];

    // What a library does that knows nothing of close-on-exec.
    private static void ClearCloseOnExec(int descriptor) => LibC.SetCloseOnExec(descriptor, on: false).OrThrow("fcntl");
}
