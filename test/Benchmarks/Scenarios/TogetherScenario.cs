using LoopBridge.Benchmarks.Processes;
using LoopBridge.Benchmarks.Results;
using LoopBridge.Benchmarks.Servers;

namespace LoopBridge.Benchmarks.Scenarios;

/// <summary>HTTP and a reactor protocol at once on one server: neither may starve the other, and the sum is what the processor time buys.</summary>
internal sealed class TogetherScenario : IScenario
{
    private readonly PlaintextScenario _plaintext = new();
    private readonly EchoScenario _echo = new("echo");

    public string Name => "both at once";

    public string Title => "plaintext and echo at once";

    public string Description => "the loads of plaintext and of echo at the same time";

    public string Unit => "operations";

    public string Endpoint => EndpointPorts.Web;

    public Tool? Tool => _plaintext.Tool;

    public IReadOnlyList<LoadFigure> Figures => LoadFigure.Common(Unit);

    public async Task<LoadResult> RunAsync(ScenarioContext context)
    {
        // Each has a meter of its own, because each begins to count when its connections stand.
        Task<LoadResult> echo = _echo.RunAsync(context with { Cpu = new CpuMeter(context.Cpu.ProcessId) });
        LoadResult http = await _plaintext.RunAsync(context).ConfigureAwait(false);
        LoadResult messages = await echo.ConfigureAwait(false);
        bool oneStarved = http.Operations == 0 || messages.Operations == 0;
        return new LoadResult
        {
            Operations = http.Operations + messages.Operations,
            Seconds = (http.Seconds + messages.Seconds) / 2,
            CpuSeconds = (http.CpuSeconds + messages.CpuSeconds) / 2,
            P50Micros = Math.Max(http.P50Micros, messages.P50Micros),
            P99Micros = Math.Max(http.P99Micros, messages.P99Micros),
            Errors = http.Errors + messages.Errors + (oneStarved ? 1 : 0),
            ErrorDetail = oneStarved ? $"{http.Operations} requests beside {messages.Operations} messages" : http.ErrorDetail + messages.ErrorDetail,
        };
    }
}
