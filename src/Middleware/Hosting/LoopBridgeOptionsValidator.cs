using System.Runtime.CompilerServices;
using Microsoft.Extensions.Options;

namespace LoopBridge.Hosting;

/// <summary>Checks the options when the application starts. Each message names the key.</summary>
internal sealed class LoopBridgeOptionsValidator : IValidateOptions<LoopBridgeOptions>
{
    private const int MaxLoops = 1024;
    private static readonly TimeSpan MaxGrace = TimeSpan.FromMinutes(1);

    // As many as the .NET thread pool has at most.
    private const int MaxWorkers = 32_767;

    private static readonly TimeSpan OneMillisecond = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan OneMinute = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan OneHour = TimeSpan.FromHours(1);

    public ValidateOptionsResult Validate(string? name, LoopBridgeOptions options)
    {
        var failures = new List<string>();
        Known(options.Mode);
        Known(options.Driver);
        Known(options.Scheduling);
        Known(options.WhenFull);
        Check(
            options.Driver != LoopDriver.Epoll || OperatingSystem.IsLinux(),
            "LoopBridge:Driver is Epoll, which only Linux has: use Auto or Managed on this platform.");
        Check(options.LoopCount is >= 0 and <= MaxLoops, $"LoopBridge:LoopCount is {options.LoopCount}: use 0 (one for each core) to {MaxLoops}.");
        Time(options.OverstayLimit, OneMinute);
        Time(options.StallLimit, OneHour);
        Check(
            options.MaxWorkerThreads is > 0 and <= MaxWorkers,
            $"LoopBridge:MaxWorkerThreads is {options.MaxWorkerThreads}: use a number from 1 to {MaxWorkers}.");
        Check(options.Backlog > 0, $"LoopBridge:Backlog is {options.Backlog}: use a number above 0.");
        Check(
            options.MaxConnectionsPerEndpoint is null or > 0,
            $"LoopBridge:MaxConnectionsPerEndpoint is {options.MaxConnectionsPerEndpoint}: use a number above 0, or leave it empty for no limit.");
        Check(
            options.UnbindGrace >= TimeSpan.Zero && options.UnbindGrace <= MaxGrace,
            $"LoopBridge:UnbindGrace is {options.UnbindGrace}: use a time from 0 to {MaxGrace}.");
        Size(options.MaxReadBufferSize);
        Size(options.MaxWriteBufferSize);
        Check(options.MaxUnsentBytes > 0, $"LoopBridge:MaxUnsentBytes is {options.MaxUnsentBytes}: use a number of bytes above 0.");
        Check(
            !options.ReusePort || !OperatingSystem.IsWindows(),
            "LoopBridge:ReusePort is true, which Windows does not have: set it to false on this platform.");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

        void Known<TEnum>(TEnum value, [CallerArgumentExpression(nameof(value))] string option = "")
            where TEnum : struct, Enum
            => Check(
                Enum.IsDefined(value),
                $"{KeyOf(option)} is {value}, which is not known: use {string.Join(" or ", Enum.GetNames<TEnum>())}.");

        void Size(long? value, [CallerArgumentExpression(nameof(value))] string option = "")
            => Check(value is null or >= 0, $"{KeyOf(option)} is {value}: use a number of bytes, or leave it empty for no limit.");

        void Time(TimeSpan value, TimeSpan longest, [CallerArgumentExpression(nameof(value))] string option = "")
            => Check(
                value >= OneMillisecond && value <= longest,
                $"{KeyOf(option)} is {value}: use a time from {OneMillisecond} to {longest}.");

        void Check(bool valid, string failure)
        {
            if (!valid)
            {
                failures.Add(failure);
            }
        }
    }

    // "options.Driver" as configuration calls it.
    private static string KeyOf(string option) => option.Replace("options.", "LoopBridge:", StringComparison.Ordinal);
}
