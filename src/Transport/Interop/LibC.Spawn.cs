using System.Runtime.InteropServices;

namespace LoopBridge.Interop;

internal static unsafe partial class LibC
{
    private const short POSIX_SPAWN_SETSIGDEF = 0x04;
    private const short POSIX_SPAWN_SETSIGMASK = 0x08;

    private const int X_OK = 1;

    private static bool _closeFromIsMissing;

    /// <summary>Whether this process may execute the file, access(2).</summary>
    internal static bool IsExecutable(string path)
    {
        using var native = new NativeStrings([path]);
        return PosixResult.Of(access(native.First, X_OK)).IsOk;
    }

    /// <summary>
    /// Starts a program, posix_spawn(3): the parent's memory is not copied, and a failure of the child before its first instruction is this
    /// call's error. Every signal is at its default in the child and none is blocked, whatever the runtime does with them here.
    /// </summary>
    internal static PosixResult Spawn(byte* path, SpawnActions actions, byte** arguments, byte** environment, out int pid)
    {
        SpawnMemory attributes = default;
        SpawnMemory signals = default;
        int child = 0;
        PosixResult result = PosixResult.OfError(posix_spawnattr_init(&attributes));
        if (!result.IsOk)
        {
            pid = 0;
            return result;
        }

        // None of these can fail: they fill memory of ours with values of ours.
        _ = sigfillset(&signals);
        _ = posix_spawnattr_setsigdefault(&attributes, &signals);
        _ = sigemptyset(&signals);
        _ = posix_spawnattr_setsigmask(&attributes, &signals);
        _ = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
        result = PosixResult.OfError(posix_spawn(&child, path, actions.Pointer, &attributes, arguments, environment));
        _ = posix_spawnattr_destroy(&attributes);
        pid = child;
        return result;
    }

    /// <summary>
    /// Room for an opaque structure of the C library. The largest one, <c>posix_spawnattr_t</c>, takes 336 bytes with glibc and with musl
    /// on 64 bits; <c>sigset_t</c> 128.
    /// </summary>
    private struct SpawnMemory
    {
        internal fixed long Room[128];
    }

    /// <summary>What the child does before the program, in order: <c>posix_spawn_file_actions_t</c>.</summary>
    internal sealed class SpawnActions : IDisposable
    {
        private SpawnMemory* _memory;

        internal SpawnActions()
        {
            _memory = (SpawnMemory*)NativeMemory.AllocZeroed((nuint)sizeof(SpawnMemory));
            Verify(posix_spawn_file_actions_init(_memory), "init");
        }

        internal void* Pointer => _memory;

        /// <summary>
        /// Makes <paramref name="descriptor"/> the child's <paramref name="number"/>, inheritable. The numbers differ: one that stays where
        /// it is would stay close-on-exec with older libraries.
        /// </summary>
        internal void Duplicate(int descriptor, int number)
            => Verify(posix_spawn_file_actions_adddup2(_memory, descriptor, number), "adddup2");

        /// <summary>Closes a number in the child; one that is not open there is no error.</summary>
        internal void Close(int number)
            => Verify(posix_spawn_file_actions_addclose(_memory, number), "addclose");

        /// <summary>Closes all numbers from there on. False where the C library cannot say that (musl; glibc before 2.34).</summary>
        internal bool TryCloseFrom(int lowest)
        {
            if (_closeFromIsMissing)
            {
                return false;
            }

            try
            {
                Verify(posix_spawn_file_actions_addclosefrom_np(_memory, lowest), "addclosefrom_np");
                return true;
            }
            catch (EntryPointNotFoundException)
            {
                // Expected with the libraries named above: the caller closes one by one.
                _closeFromIsMissing = true;
                return false;
            }
        }

        /// <summary>Where the program starts; glibc 2.29, musl 1.1.24.</summary>
        internal void ChangeDirectory(byte* path)
            => Verify(posix_spawn_file_actions_addchdir_np(_memory, path), "addchdir_np");

        public void Dispose()
        {
            if (_memory is not null)
            {
                _ = posix_spawn_file_actions_destroy(_memory); // frees, and cannot fail on what init made
                NativeMemory.Free(_memory);
                _memory = null;
            }
        }

        private static void Verify(int error, string action)
            => PosixResult.OfError(error).OrThrow($"posix_spawn_file_actions_{action}");
    }

    [LibraryImport(Library)]
    private static partial int posix_spawn(int* pid, byte* path, void* actions, void* attributes, byte** arguments, byte** environment);

    [LibraryImport(Library)]
    private static partial int posix_spawn_file_actions_init(void* actions);

    [LibraryImport(Library)]
    private static partial int posix_spawn_file_actions_destroy(void* actions);

    [LibraryImport(Library)]
    private static partial int posix_spawn_file_actions_adddup2(void* actions, int fd, int number);

    [LibraryImport(Library)]
    private static partial int posix_spawn_file_actions_addclose(void* actions, int number);

    [LibraryImport(Library)]
    private static partial int posix_spawn_file_actions_addclosefrom_np(void* actions, int lowest);

    [LibraryImport(Library)]
    private static partial int posix_spawn_file_actions_addchdir_np(void* actions, byte* path);

    [LibraryImport(Library)]
    private static partial int posix_spawnattr_init(void* attributes);

    [LibraryImport(Library)]
    private static partial int posix_spawnattr_destroy(void* attributes);

    [LibraryImport(Library)]
    private static partial int posix_spawnattr_setflags(void* attributes, short flags);

    [LibraryImport(Library)]
    private static partial int posix_spawnattr_setsigdefault(void* attributes, void* signals);

    [LibraryImport(Library)]
    private static partial int posix_spawnattr_setsigmask(void* attributes, void* signals);

    [LibraryImport(Library)]
    private static partial int sigemptyset(void* signals);

    [LibraryImport(Library)]
    private static partial int sigfillset(void* signals);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int access(byte* path, int mode);
}
