using System.Reflection;
using LoopBridge.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace LoopBridge.Middleware.Tests.Hosting;

/// <summary>Options come from configuration and callback, and what is wrong stops the start with a message that names the key.</summary>
public sealed class OptionsTests
{
    // Every option, with a value that is not its default.
    private static readonly Dictionary<string, (string Text, object? Value)> Others = new()
    {
        [nameof(LoopBridgeOptions.Enabled)] = ("false", false),
        [nameof(LoopBridgeOptions.Mode)] = ("looponreactor", LoopBridgeMode.LoopOnReactor),
        [nameof(LoopBridgeOptions.Driver)] = ("Managed", LoopDriver.Managed),
        [nameof(LoopBridgeOptions.LoopCount)] = ("3", 3),
        [nameof(LoopBridgeOptions.Scheduling)] = ("ThreadPool", LoopScheduling.ThreadPool),
        [nameof(LoopBridgeOptions.OverstayLimit)] = ("00:00:00.007", TimeSpan.FromMilliseconds(7)),
        [nameof(LoopBridgeOptions.StallLimit)] = ("00:00:01.5", TimeSpan.FromSeconds(1.5)),
        [nameof(LoopBridgeOptions.MaxWorkerThreads)] = ("12", 12),
        [nameof(LoopBridgeOptions.Backlog)] = ("17", 17),
        [nameof(LoopBridgeOptions.NoDelay)] = ("false", false),
        [nameof(LoopBridgeOptions.ReusePort)] = ("true", true),
        [nameof(LoopBridgeOptions.MaxReadBufferSize)] = ("1000", 1000L),
        [nameof(LoopBridgeOptions.MaxWriteBufferSize)] = ("2000", 2000L),
        [nameof(LoopBridgeOptions.MaxUnsentBytes)] = ("3000", 3000L),
        [nameof(LoopBridgeOptions.FinOnError)] = ("true", true),
        [nameof(LoopBridgeOptions.AllowHalfClose)] = ("true", true),
        [nameof(LoopBridgeOptions.MaxConnectionsPerEndpoint)] = ("4000", 4000),
        [nameof(LoopBridgeOptions.WhenFull)] = ("Close", LoopFullAction.Close),
        [nameof(LoopBridgeOptions.UnbindGrace)] = ("00:00:03", TimeSpan.FromSeconds(3)),
    };

    // All but what only code can give.
    private static IEnumerable<PropertyInfo> Keys => typeof(LoopBridgeOptions).GetProperties()
        .Where(property => property.Name != nameof(LoopBridgeOptions.CreateBoundListenSocket));

    [Fact]
    public void Configuration_OfEveryOption_IsBound()
    {
        LoopBridgeOptions options = Read(Others.ToDictionary(option => option.Key, option => (string?)option.Value.Text));

        Assert.All(Keys, property => Assert.Equal(Others[property.Name].Value,
            property.GetValue(options)));
    }

    [Fact]
    public void Callback_OfEveryOption_WinsOverTheConfiguration()
    {
        LoopBridgeOptions options = Read(
            new() { ["LoopCount"] = "7", ["Driver"] = "Auto" },
            static options =>
            {
                foreach ((string name, (_, object? value)) in Others)
                {
                    typeof(LoopBridgeOptions).GetProperty(name)!.SetValue(options, value);
                }
            });

        Assert.All(Keys, property => Assert.Equal(Others[property.Name].Value,
            property.GetValue(options)));
    }

    [Theory]
    [InlineData("MaxConnectionsPerEndpoint")]
    [InlineData("MaxReadBufferSize")]
    [InlineData("MaxWriteBufferSize")]
    public void Configuration_OfALimitLeftEmpty_IsNoLimit(string key)
        => Assert.Null(typeof(LoopBridgeOptions).GetProperty(key)!.GetValue(Read(new() { [key] = "" })));

    [Theory]
    [InlineData("Driver", "Turbo", "LoopBridge:Driver", "Auto", "Epoll", "Managed")]
    [InlineData("Driver", "99", "LoopBridge:Driver", "Auto", "Epoll", "Managed")]
    [InlineData("Mode", "Sideways", "LoopBridge:Mode", "ReactorOnLoop", "LoopOnReactor")]
    [InlineData("Mode", "-1", "LoopBridge:Mode", "ReactorOnLoop", "LoopOnReactor")]
    [InlineData("Scheduling", "Never", "LoopBridge:Scheduling", "Inline", "ThreadPool", "Adaptive")]
    [InlineData("Scheduling", "12", "LoopBridge:Scheduling", "Inline", "ThreadPool", "Adaptive")]
    [InlineData("LoopCount", "-1", "LoopBridge:LoopCount", "0", "1024")]
    [InlineData("LoopCount", "1025", "LoopBridge:LoopCount", "0", "1024")]
    [InlineData("LoopCount", "many", "LoopBridge:LoopCount", "numbers")]
    [InlineData("Enabled", "perhaps", "LoopBridge:Enabled", "true", "false")]
    [InlineData("WhenFull", "Panic", "LoopBridge:WhenFull", "Wait", "Close")]
    [InlineData("WhenFull", "7", "LoopBridge:WhenFull", "Wait", "Close")]
    [InlineData("MaxConnectionsPerEndpoint", "0", "LoopBridge:MaxConnectionsPerEndpoint", "above 0")]
    [InlineData("OverstayLimit", "00:00:00", "LoopBridge:OverstayLimit", "00:00:00.0010000", "00:01:00")]
    [InlineData("OverstayLimit", "00:01:01", "LoopBridge:OverstayLimit", "00:01:00")]
    [InlineData("OverstayLimit", "soon", "LoopBridge:OverstayLimit", "00:00:00.020")]
    [InlineData("StallLimit", "-00:00:01", "LoopBridge:StallLimit", "01:00:00")]
    [InlineData("MaxWorkerThreads", "0", "LoopBridge:MaxWorkerThreads", "1")]
    [InlineData("MaxWorkerThreads", "40000", "LoopBridge:MaxWorkerThreads", "32767")]
    [InlineData("UnbindGrace", "-00:00:01", "LoopBridge:UnbindGrace", "from 0 to 00:01:00")]
    [InlineData("UnbindGrace", "00:01:01", "LoopBridge:UnbindGrace", "from 0 to 00:01:00")]
    [InlineData("Backlog", "0", "LoopBridge:Backlog", "above 0")]
    [InlineData("Backlog", "-5", "LoopBridge:Backlog", "above 0")]
    [InlineData("MaxReadBufferSize", "-1", "LoopBridge:MaxReadBufferSize", "bytes")]
    [InlineData("MaxWriteBufferSize", "-1", "LoopBridge:MaxWriteBufferSize", "bytes")]
    [InlineData("MaxUnsentBytes", "0", "LoopBridge:MaxUnsentBytes", "above 0")]
    public async Task Configuration_ThatIsWrong_StopsTheStartAndNamesTheKey(string key, string value, params string[] parts)
    {
        OptionsValidationException error = await Assert.ThrowsAsync<OptionsValidationException>(() => LoopBridgeServer.StartAsync(
            default, LoopDriver.Auto, configuration: [new($"LoopBridge:{key}", value)]));

        Assert.All(parts, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
        Assert.Contains(value, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Callback_ThatIsWrong_StopsTheStartAndNamesTheKey()
    {
        OptionsValidationException error = await Assert.ThrowsAsync<OptionsValidationException>(
            () => LoopBridgeServer.StartAsync(default, LoopDriver.Auto, options: static options => options.LoopCount = -7));

        Assert.Contains("LoopBridge:LoopCount is -7", error.Message, StringComparison.Ordinal);
    }

    private static LoopBridgeOptions Read(Dictionary<string, string?> section, Action<LoopBridgeOptions>? configure = null)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder()
            .AddInMemoryCollection(section.ToDictionary(pair => $"LoopBridge:{pair.Key}", pair => pair.Value)).Build());
        services.AddLogging().AddLoopBridge();
        if (configure is not null)
        {
            services.Configure(configure);
        }

        using ServiceProvider provider = services.BuildServiceProvider();
        return provider.GetRequiredService<IOptions<LoopBridgeOptions>>().Value;
    }
}
