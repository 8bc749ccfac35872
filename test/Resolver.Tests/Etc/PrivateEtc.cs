using System.Runtime.InteropServices;
using LoopBridge.Resolvers;
using LoopBridge.Testing;

namespace LoopBridge.Resolver.Tests.Etc;

/// <summary>
/// A place where <c>/etc/hosts</c>, <c>/etc/resolv.conf</c> and <c>/etc/nsswitch.conf</c> say what a test wants, for the real getaddrinfo.
/// On Linux a mount namespace belongs to a thread: one thread leaves the process's, binds its own files over those, and every thread it
/// starts is born there. So a resolver called on that thread has its lookup threads there, while the rest of the process sees nothing.
/// </summary>
internal sealed partial class PrivateEtc : IDisposable
{
    // <sched.h>, <sys/mount.h>
    private const int CloneNewNs = 0x20000;
    private const ulong MsBind = 0x1000, MsRec = 0x4000, MsPrivate = 0x40000;

    private readonly DirectoryInfo _files = Directory.CreateTempSubdirectory("loopbridge-etc");
    private readonly List<(string From, string To)> _mounts = [];

    public PrivateEtc(string hosts = "", string resolvConf = "nameserver 127.0.0.1", string sources = "files")
    {
        Add("/etc/hosts", hosts);
        Add("/etc/resolv.conf", resolvConf);
        Add("/etc/nsswitch.conf", $"hosts: {sources}\n");
    }

    /// <summary>A resolver over the real getaddrinfo, on threads that no test elsewhere can get hold of.</summary>
    public static ThreadedResolver CreateResolver(ResolverOptions? options = null)
    {
        options ??= new ResolverOptions { Timeout = Deadline.Default };
        return new(options, OperatingSystemLookup.LookUp, new LookupThreads(options.MaxThreads, options.ThreadIdleTimeout));
    }

    /// <summary>Runs the function inside, without waiting for the tasks it may give; skips the test where that is not allowed.</summary>
    public async Task<T> RunAsync<T>(Func<T> inside)
    {
        TaskCompletionSource<T> result = new(TaskCreationOptions.RunContinuationsAsynchronously);
        int refused = 0;
        Thread thread = new(() =>
        {
            try
            {
                refused = OperatingSystem.IsLinux() ? Enter() : -1;
                if (refused == 0)
                    result.SetResult(inside());
                else
                    result.SetCanceled(CancellationToken.None);
            }
            catch (Exception e)
            {
                result.SetException(e); // the test's own failure: thrown where the test waits
            }
        });
        thread.IsBackground = true;
        thread.Start();
        try
        {
            return await result.Task.WithDeadline();
        }
        catch (OperationCanceledException) when (refused != 0)
        {
            // Expected without the privilege, or elsewhere than on Linux.
            SkipUnlessRequired($"No private mount namespace here: errno {refused}.");
            throw;
        }
    }

    /// <summary>What is missing is a skip by name, but a failure where everything has been put in place.</summary>
    public static void SkipUnlessRequired(string missing)
        => Assert.SkipUnless(Environment.GetEnvironmentVariable("LOOPBRIDGE_REQUIRE_PEERS") == "1", missing);

    public void Dispose() => _files.Delete(recursive: true);

    private void Add(string to, string content)
    {
        string from = Path.Combine(_files.FullName, Path.GetFileName(to));
        File.WriteAllText(from, content);
        _mounts.Add((from, to));
    }

    private int Enter()
    {
        if (unshare(CloneNewNs) != 0 || mount("none", "/", null, MsRec | MsPrivate, 0) != 0)
            return Marshal.GetLastPInvokeError();
        foreach ((string from, string to) in _mounts)
        {
            if (mount(from, to, null, MsBind, 0) != 0)
                return Marshal.GetLastPInvokeError();
        }

        return 0;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int unshare(int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mount(string source, string target, string? type, ulong flags, nint data);
}
