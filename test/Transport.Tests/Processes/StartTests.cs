using LoopBridge.Loops;
using LoopBridge.Processes;
using LoopBridge.Testing;
using Microsoft.Win32.SafeHandles;

namespace LoopBridge.Transport.Tests.Processes;

public sealed class StartTests : ProcessContract
{
    [Theory, LoopStacks]
    [Contract("L-PROC-07")]
    public async Task Start_Impossible_ThrowsWithReasonAndLeavesNothing(LoopStack stack)
    {
        string folder = Directory.CreateTempSubdirectory("loopbridge").FullName;
        string text = Path.Combine(folder, "text");
        string binary = Path.Combine(folder, "no-program");
        await File.WriteAllTextAsync(text, "plain", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(binary, "plain", TestContext.Current.CancellationToken);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(binary, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }

        try
        {
            await StartLoop(stack).RunAsync(loop =>
            {
                LeakCheck leaks = LeakCheck.Begin();
                Refused(loop, "loopbridge-no-such-program", "no such program in the PATH");
                Refused(loop, "/no/such/program", "there is no such file");
                Refused(loop, text, "may not be executed");
                Refused(loop, binary, "neither a program for this machine");
                Refused(loop, "sh", "its working directory, /no/such/folder, does not exist", "/no/such/folder");
                leaks.Verify();
                return Task.CompletedTask;
            });
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory, LoopStacks]
    [Contract("L-PROC-07")]
    public async Task Start_GivenDescriptorIsClosed_ThrowsAndLeavesNothing(LoopStack stack)
    {
        await StartLoop(stack).RunAsync(loop =>
        {
            LeakCheck leaks = LeakCheck.Begin();
            SafeFileHandle file = File.OpenHandle("/dev/null");
            file.Dispose();
            LoopProcessStartInfo info = Shell("true");
            info.StandardError = ProcessRedirect.To(file);
            Assert.Throws<ProcessStartException>(() => Start(loop, info));
            leaks.Verify();
            return Task.CompletedTask;
        });
    }

    [Theory, LoopStacks]
    [Contract("L-PROC-07")]
    public async Task Start_ImpossibleDescriptionOrWrongThread_Throws(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        Assert.Throws<InvalidOperationException>(() => LoopProcess.Start(thread.Loop, Shell("true")));
        await thread.RunAsync(loop =>
        {
            Assert.Throws<ArgumentException>(() => Start(loop, new LoopProcessStartInfo("sh", "a\0b")));
            LoopProcessStartInfo info = Shell("true");
            info.Environment["a=b"] = "c";
            Assert.Throws<ArgumentException>(() => Start(loop, info));
            info = Shell("true");
            using SafeFileHandle file = File.OpenHandle("/dev/null");
            info.ExtraDescriptors[2] = file;
            Assert.Throws<ArgumentException>(() => Start(loop, info));
            return Task.CompletedTask;
        });
    }

    [Theory, LoopStacks]
    [Contract("L-PROC-02")]
    public async Task Start_ArgumentsEnvironmentAndFolder_ArriveAsTheyAre(LoopStack stack)
    {
        await StartLoop(stack).RunAsync(async loop =>
        {
            string[] arguments = ["", " ", "\"quoted\"", "back\\slash", "ümlaut €", "$HOME", "a\nb"];
            LoopProcess process = Start(loop, Shell("for a in \"$@\"; do printf '%s|' \"$a\"; done", arguments));
            Assert.Equal(string.Concat(arguments.Select(argument => argument + "|")), await Utf8OutputOfAsync(process));

            LoopProcessStartInfo info = Shell("echo \"$LOOPBRIDGE_TEST ${HOME-none} $(pwd)\"");
            info.Environment["LOOPBRIDGE_TEST"] = "é";
            info.Environment["HOME"] = null;
            info.WorkingDirectory = "/";
            Assert.Equal("é none /\n", await Utf8OutputOfAsync(Start(loop, info)));

            var exact = new LoopProcessStartInfo("/usr/bin/env") { StandardOutput = ProcessRedirect.Pipe };
            exact.Environment.Clear();
            exact.Environment["ONE"] = "1";
            Assert.Equal("ONE=1\n", await OutputOfAsync(Start(loop, exact)));
        });
    }

    [Theory, LoopStacks]
    [Contract("L-PROC-02")]
    public async Task Start_NullAndGivenDescriptors_AreTheChilds(LoopStack stack)
    {
        string file = Path.GetTempFileName();
        try
        {
            await StartLoop(stack).RunAsync(async loop =>
            {
                using SafeFileHandle handle = File.OpenHandle(file, FileMode.Open, FileAccess.Write);
                var info = new LoopProcessStartInfo("sh", "-c", "cat; echo out; echo err >&2")
                {
                    StandardInput = ProcessRedirect.Null,
                    StandardOutput = ProcessRedirect.To(handle),
                    StandardError = ProcessRedirect.To(handle),
                };
                LoopProcess process = Start(loop, info);
                await process.WaitForExitAsync();
                Assert.False(handle.IsClosed);
            });
            Assert.Equal("out\nerr\n", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory, LoopStacks]
    [Contract("L-PROC-09")]
    public async Task DisposeAsync_RunningChild_IsNotKilledAndItsEndIsTold(LoopStack stack)
    {
        await StartLoop(stack).RunAsync(async loop =>
        {
            LoopProcess process = Start(loop, Shell("read -r go; exit 5"));
            await process.StandardInput!.WriteAsync("go\n"u8.ToArray());
            await process.DisposeAsync();
            await process.DisposeAsync();
            Assert.Equal(5, await process.ExitTask); // and it did read what was written before
        });
    }

    private void Refused(IEventLoop loop, string program, string reason, string? folder = null)
    {
        var info = new LoopProcessStartInfo(program, "-c", "true")
        {
            StandardInput = ProcessRedirect.Pipe,
            StandardOutput = ProcessRedirect.Pipe,
            StandardError = ProcessRedirect.Null,
            WorkingDirectory = folder,
        };
        ProcessStartException error = Assert.Throws<ProcessStartException>(() => Start(loop, info));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.Contains($"'{program}'", error.Message, StringComparison.Ordinal);
        Assert.Equal(program, error.FileName);
    }

    private static async Task<string> Utf8OutputOfAsync(LoopProcess process)
    {
        string output = System.Text.Encoding.UTF8.GetString(await process.StandardOutput!.ReadUntilCloseAsync());
        await process.DisposeAsync();
        await process.WaitForExitAsync();
        return output;
    }
}
