using LoopBridge.Drivers;
using Microsoft.Extensions.Options;

namespace LoopBridge.Hosting;

/// <summary>Checks the options when the application starts. Each message names the key.</summary>
internal sealed class LoopBridgeOptionsValidator : IValidateOptions<LoopBridgeOptions>
{
    private const int MaxLoops = 1024;

    public ValidateOptionsResult Validate(string? name, LoopBridgeOptions options)
    {
        var failures = new List<string>();
        Check(Enum.IsDefined(options.Mode), $"LoopBridge:Mode is {(int)options.Mode}, which is no known mode: use {string.Join(" or ", Enum.GetNames<LoopBridgeMode>())}.");
        Check(Enum.IsDefined(options.Driver), $"LoopBridge:Driver is {(int)options.Driver}, which is no known driver: use {string.Join(", ", Enum.GetNames<LoopDriver>())}.");
        Check(Enum.IsDefined(options.Scheduling), $"LoopBridge:Scheduling is {(int)options.Scheduling}, which is no known scheduling: use {string.Join(" or ", Enum.GetNames<LoopScheduling>())}.");
        Check(options.Driver != LoopDriver.Epoll || OperatingSystem.IsLinux(), "LoopBridge:Driver is Epoll, which only Linux has: use Auto or Managed on this platform.");
        Check(options.LoopCount is >= 0 and <= MaxLoops, $"LoopBridge:LoopCount is {options.LoopCount}: use 0 (one for each core) to {MaxLoops}.");
        Check(options.Backlog > 0, $"LoopBridge:Backlog is {options.Backlog}: use a number above 0.");
        Check(options.MaxReadBufferSize is null or >= 0, $"LoopBridge:MaxReadBufferSize is {options.MaxReadBufferSize}: use a number of bytes, or leave it empty for no limit.");
        Check(options.MaxWriteBufferSize is null or >= 0, $"LoopBridge:MaxWriteBufferSize is {options.MaxWriteBufferSize}: use a number of bytes, or leave it empty for no limit.");
        Check(options.MaxUnsentBytes > 0, $"LoopBridge:MaxUnsentBytes is {options.MaxUnsentBytes}: use a number of bytes above 0.");
        Check(!options.ReusePort || !OperatingSystem.IsWindows(), "LoopBridge:ReusePort is true, which Windows does not have: set it to false on this platform.");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

        void Check(bool valid, string failure)
        {
            if (!valid)
            {
                failures.Add(failure);
            }
        }
    }
}
