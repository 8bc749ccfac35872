using System.Net;
using LoopBridge.Bridge;
using LoopBridge.Kestrel;
using LoopBridge.Loops;
using LoopBridge.Reactors;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;

namespace LoopBridge.Middleware.Tests.Http;

/// <summary>What <c>app.UseLoopBridge()</c> gives to HTTP handlers.</summary>
public sealed class UseLoopBridgeTests
{
    [Theory, ClassData(typeof(Modes))]
    public async Task Injection_OnRealKestrel_IsTheConnectionsLoopAndReactor(LoopBridgeMode mode)
    {
        await using LoopBridgeServer server = await StartAsync(
            mode,
            static app => app.MapGet("/", static (HttpContext context, IEventLoop loop, IReactor reactor) =>
        {
            IEventLoop own = context.Features.Get<ILoopConnectionFeature>()!.Loop;
            return ReferenceEquals(own, loop) && ReferenceEquals(own.GetReactor(), reactor);
        }));

        // Several connections, so that they are spread over both loops.
        for (int i = 0; i < 4; i++)
        {
            Assert.Equal("true", await GetAsync(server, "/"));
        }
    }

    [Theory, ClassData(typeof(Modes))]
    public async Task Injection_ManyTimes_LeavesTheReactorAliveForTheNextRequest(LoopBridgeMode mode)
    {
        await using LoopBridgeServer server = await StartAsync(mode, app => app.MapGet("/", async (IEventLoop loop, IReactor reactor) =>
        {
            var fired = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            reactor.CallFromThread(() => reactor.CallLater(TimeSpan.FromMilliseconds(1), fired.SetResult));
            await fired.Task;
            return loop.AddCallback(static () => { });
        }));

        for (int i = 0; i < 6; i++)
        {
            Assert.Equal("true", await GetAsync(server, "/"));
        }
    }

    [Theory, ClassData(typeof(Modes))]
    public async Task RequestScope_IsDisposedOnceForEachRequest(LoopBridgeMode mode)
    {
        var counter = new DisposalCounter();
        await using LoopBridgeServer server = await StartAsync(
            mode,
            app => app.MapGet("/", (Scoped first, HttpContext context) => ReferenceEquals(first,
                context.RequestServices.GetRequiredService<Scoped>())),
            services => services.AddSingleton(counter).AddScoped<Scoped>());

        for (int i = 1; i <= 3; i++)
        {
            Assert.Equal("true", await GetAsync(server, "/"));
            await counter.ReachAsync(i);
        }

        await server.App.StopAsync(TestContext.Current.CancellationToken).WithDeadline();
        Assert.Equal(3, counter.Disposals);
        Assert.Equal(3, counter.Created);
    }

    [Theory, ClassData(typeof(Modes))]
    public async Task RequestScope_OpenedByAMiddlewareBefore_StaysTheOnlyOne(LoopBridgeMode mode)
    {
        // Authentication does so: what it puts into a scoped service the endpoint must find.
        var counter = new DisposalCounter();
        await using LoopBridgeServer server = await LoopBridgeServer.StartAsync(
            mode,
            LoopDriver.Auto,
            app: app =>
            {
                app.Use((context, next) =>
                {
                    context.RequestServices.GetRequiredService<Scoped>().Note = "from before";
                    return next(context);
                });
                app.UseLoopBridge();
                app.MapGet("/", (HttpContext context, Scoped scoped, IEventLoop loop) =>
                    $"{scoped.Note}, {ReferenceEquals(loop, context.Features.Get<ILoopConnectionFeature>()!.Loop)}");
            },
            services: services => services.AddSingleton(counter).AddScoped<Scoped>());

        Assert.Equal("from before, True", await GetAsync(server, "/"));
        await counter.ReachAsync(1);
        Assert.Equal(1, counter.Created);
    }

    [Theory, ClassData(typeof(Modes))]
    public async Task Injection_OnStockSockets_IsOneOfTheLoops(LoopBridgeMode mode)
    {
        await using LoopBridgeServer server = await StartAsync(
            mode,
            app => app.MapGet("/", (HttpContext context, IEventLoop loop, LoopGroup group)
                => group.Find(loop) is not null && context.Features.Get<ILoopConnectionFeature>() is null),
            options: static options => options.Enabled = false);

        Assert.Equal("true", await GetAsync(server, "/"));
    }

    [Theory, ClassData(typeof(Modes))]
    public async Task Injection_OnATestServer_IsOneOfTheLoops(LoopBridgeMode mode)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseLoopBridge(options => options.Mode = mode).UseTestServer();
        await using WebApplication app = builder.Build();
        app.UseLoopBridge();
        app.MapGet("/", async (IEventLoop loop, IReactor reactor, LoopGroup group) =>
        {
            var ran = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            reactor.CallFromThread(() => ran.SetResult(loop.IsOnLoopThread));
            return group.Find(loop) is not null && await ran.Task;
        });
        await app.StartAsync(TestContext.Current.CancellationToken).WithDeadline();

        for (int i = 0; i < 3; i++)
        {
            Assert.Equal("true", await app.GetTestClient().GetStringAsync(new Uri("/", UriKind.Relative),
                TestContext.Current.CancellationToken).WithDeadline());
        }
    }

    private static Task<LoopBridgeServer> StartAsync(
        LoopBridgeMode mode,
        Action<WebApplication> map,
        Action<IServiceCollection>? services = null,
        Action<LoopBridgeOptions>? options = null)
        => LoopBridgeServer.StartAsync(
            mode,
            LoopDriver.Auto,
            app: app =>
            {
                app.UseLoopBridge();
                map(app);
            },
            services: services,
            options: options);

    private static async Task<string> GetAsync(LoopBridgeServer server, string path)
    {
        using var client = new HttpClient();
        using HttpResponseMessage answer = await client.GetAsync(new Uri($"http://{server.EndPoint()}{path}"),
            TestContext.Current.CancellationToken).WithDeadline();
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken).WithDeadline();
    }

    private sealed class DisposalCounter
    {
        private readonly SemaphoreSlim _disposed = new(0);
        private int _created;
        private int _disposals;
        private int _awaited;

        internal int Created => Volatile.Read(ref _created);

        internal int Disposals => Volatile.Read(ref _disposals);

        internal void Create() => Interlocked.Increment(ref _created);

        internal void Dispose()
        {
            Interlocked.Increment(ref _disposals);
            _disposed.Release();
        }

        /// <summary>The scope ends after the response has.</summary>
        internal async Task ReachAsync(int count)
        {
            for (; _awaited < count; _awaited++)
            {
                await _disposed.WaitAsync(TestContext.Current.CancellationToken).WithDeadline();
            }
        }
    }

    private sealed class Scoped : IDisposable
    {
        private readonly DisposalCounter _counter;

        public Scoped(DisposalCounter counter)
        {
            _counter = counter;
            counter.Create();
        }

        internal string Note { get; set; } = "";

        public void Dispose() => _counter.Dispose();
    }
}
