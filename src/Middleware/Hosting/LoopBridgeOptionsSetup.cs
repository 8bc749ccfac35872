using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace LoopBridge.Hosting;

/// <summary>Binds the section <c>LoopBridge</c>.</summary>
internal sealed class LoopBridgeOptionsSetup(IConfiguration configuration) : IConfigureOptions<LoopBridgeOptions>
{
    public void Configure(LoopBridgeOptions options)
    {
        IConfigurationSection section = configuration.GetSection(LoopBridgeOptions.SectionName);
        try
        {
            section.Bind(options);
        }
        catch (InvalidOperationException e)
        {
            // The binder names key and value, but not what would have been right.
            throw new OptionsValidationException(
                LoopBridgeOptions.SectionName,
                typeof(LoopBridgeOptions),
                [
                    $"{e.Message} Known values: LoopBridge:Mode = {Names<LoopBridgeMode>()}; LoopBridge:Driver = {Names<LoopDriver>()}; "
                    + $"LoopBridge:Scheduling = {Names<LoopScheduling>()}; LoopBridge:WhenFull = {Names<LoopFullAction>()}; "
                    + "switches are true or false, sizes and counts are numbers, times are like 00:00:00.020.",
                ]);
        }

        // The binder passes empty values over; here they mean something: no limit.
        if (section[nameof(options.MaxReadBufferSize)] is "")
        {
            options.MaxReadBufferSize = null;
        }

        if (section[nameof(options.MaxConnectionsPerEndpoint)] is "")
        {
            options.MaxConnectionsPerEndpoint = null;
        }

        if (section[nameof(options.MaxWriteBufferSize)] is "")
        {
            options.MaxWriteBufferSize = null;
        }
    }

    private static string Names<TEnum>()
        where TEnum : struct, Enum
        => string.Join(" | ", Enum.GetNames<TEnum>());
}
