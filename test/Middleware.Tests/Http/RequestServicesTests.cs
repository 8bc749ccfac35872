using System.Collections.Concurrent;
using System.Net;
using LoopBridge.Kestrel;
using LoopBridge.Loops;
using LoopBridge.Middleware.Tests.Pipeline;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace LoopBridge.Middleware.Tests.Http;

/// <summary>The services of requests that come one after the other, or at once, on one connection: nothing of one is another's.</summary>
public sealed class RequestServicesTests
{
    private readonly Books _books = new();

    [Theory, ClassData(typeof(Modes))]
    public async Task RequestsOnOneConnection_EachHasServicesOfItsOwn_DisposedWhenItEnds(LoopBridgeMode mode)
    {
        await using LoopBridgeServer server = await StartAsync(mode, static app =>
        {
            app.UseLoopBridge();
            app.MapGet("/", static (HttpContext context, Scoped scoped, IEventLoop loop) => Answer(
                scoped,
                ReferenceEquals(scoped, context.RequestServices.GetRequiredService<Scoped>())
                    && ReferenceEquals(loop, context.Features.Get<ILoopConnectionFeature>()!.Loop)));
            app.MapGet("/without", static () => "no service");
        });
        using HttpWire client = await HttpWire.ConnectAsync(server.EndPoint());
        for (int i = 1; i <= 4; i++)
        {
            Assert.Equal($"{i} alive True", (await client.GetAsync("/")).Text);
            await _books.DisposedAsync(i);
            Assert.Equal("no service", (await client.GetAsync("/without")).Text);
        }

        Assert.Equal(4, _books.Created);
        Assert.Equal([1, 2, 3, 4], _books.DisposedIds);
    }

    [Theory, ClassData(typeof(Modes))]
    public async Task ScopeOpenedBefore_ForSomeRequestsOfAConnection_IsTheirsAlone(LoopBridgeMode mode)
    {
        await using LoopBridgeServer server = await StartAsync(mode, static app =>
        {
            app.Use(OpenScope);
            app.UseLoopBridge();
            app.MapGet("/opened", static (Scoped scoped) => Answer(scoped));
            app.MapGet("/", static (Scoped scoped) => Answer(scoped));
            app.MapGet("/without", static () => "no service");
        });
        using HttpWire client = await HttpWire.ConnectAsync(server.EndPoint());
        Assert.Equal("1 alive noted", (await client.GetAsync("/opened")).Text);
        Assert.Equal("2 alive", (await client.GetAsync("/")).Text);
        Assert.Equal("no service", (await client.GetAsync("/without")).Text);
        Assert.Equal("3 alive noted", (await client.GetAsync("/opened")).Text);
        Assert.Equal("4 alive noted", (await client.GetAsync("/opened")).Text);
        Assert.Equal("5 alive", (await client.GetAsync("/")).Text);
        await _books.DisposedAsync(5);
        Assert.Equal(5, _books.Created);
    }

    // A scope that was opened and not used behind the middleware is the next request's no more than one that was.
    [Theory, ClassData(typeof(Modes))]
    public async Task ScopeOpenedBefore_AndNotAskedForAgain_IsNotTheNextRequests(LoopBridgeMode mode)
    {
        await using LoopBridgeServer server = await StartAsync(mode, static app =>
        {
            app.Use(OpenScope);
            app.UseLoopBridge();
            app.MapGet("/opened", static () => "not used");
            app.MapGet("/", static (Scoped scoped) => Answer(scoped));
        });
        using HttpWire client = await HttpWire.ConnectAsync(server.EndPoint());
        Assert.Equal("not used", (await client.GetAsync("/opened")).Text);
        await _books.DisposedAsync(1);
        Assert.Equal("2 alive", (await client.GetAsync("/")).Text);
    }

    [Theory, ClassData(typeof(Modes))]
    public async Task ServicesPutInByAMiddleware_AreThatRequestsAlone(LoopBridgeMode mode)
    {
        var own = new Scoped(_books) { Note = "put in" };
        await using LoopBridgeServer server = await StartAsync(mode, app =>
        {
            app.UseLoopBridge();
            app.Use((context, next) =>
            {
                if (context.Request.Path == "/own")
                {
                    context.RequestServices = new OneService(own);
                }

                return next(context);
            });
            app.Run(static context => context.Response.WriteAsync(Answer(context.RequestServices.GetRequiredService<Scoped>())));
        });
        using HttpWire client = await HttpWire.ConnectAsync(server.EndPoint());
        Assert.Equal("1 alive put in", (await client.GetAsync("/own")).Text);
        Assert.Equal("2 alive", (await client.GetAsync("/")).Text);
        Assert.Equal("1 alive put in", (await client.GetAsync("/own")).Text);
        await _books.DisposedAsync(1);
        Assert.Equal([2], _books.DisposedIds); // who puts services in disposes of them
    }

    [Theory, ClassData(typeof(Modes))]
    public async Task CallbackAtTheEnd_OfAHandlerWithServices_FindsThemAlive(LoopBridgeMode mode)
    {
        var seen = new ConcurrentQueue<string>();
        await using LoopBridgeServer server = await StartAsync(mode, app =>
        {
            app.UseLoopBridge();
            app.MapGet("/", (HttpContext context, Scoped scoped) =>
            {
                context.Response.OnCompleted(() =>
                {
                    seen.Enqueue(Answer(context.RequestServices.GetRequiredService<Scoped>()));
                    return Task.CompletedTask;
                });
                return Answer(scoped);
            });
        });
        using HttpWire client = await HttpWire.ConnectAsync(server.EndPoint());
        for (int i = 1; i <= 2; i++)
        {
            Assert.Equal($"{i} alive", (await client.GetAsync("/")).Text);
            await _books.DisposedAsync(i);
        }

        Assert.Equal(["1 alive", "2 alive"], seen);
        Assert.Equal(2, _books.Created);
    }

    [Theory, ClassData(typeof(Modes))]
    public async Task IdleConnection_KeepsNoServiceOfItsLastRequestAlive(LoopBridgeMode mode)
    {
        WeakReference? last = null;
        await using LoopBridgeServer server = await StartAsync(mode, app =>
        {
            app.UseLoopBridge();
            app.MapGet("/", (Scoped scoped) =>
            {
                last = new WeakReference(scoped);
                return Answer(scoped);
            });
        });
        using HttpWire client = await HttpWire.ConnectAsync(server.EndPoint());
        Assert.Equal("1 alive", (await client.GetAsync("/")).Text);
        await _books.DisposedAsync(1);
        Assert.True(
            SpinWait.SpinUntil(
                () =>
                {
                    GC.Collect();
                    return !last!.IsAlive;
                },
                Deadline.Default),
            "Something keeps it.");
        Assert.Equal("2 alive", (await client.GetAsync("/")).Text); // the connection is the same
    }

    [Theory, ClassData(typeof(Modes))]
    public async Task RequestsAtOnce_OfOneHttp2Connection_HaveServicesOfTheirOwn(LoopBridgeMode mode)
    {
        const int Requests = 8;
        int entered = 0;
        var allIn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using LoopBridgeServer server = await StartAsync(
            mode,
            app =>
            {
                app.UseLoopBridge();
                app.Run(async context =>
                {
                    if (Interlocked.Increment(ref entered) == Requests)
                    {
                        allIn.SetResult();
                    }

                    await allIn.Task.WithDeadline();
                    Scoped scoped = context.RequestServices.GetRequiredService<Scoped>();
                    bool hasLoop = context.RequestServices.GetRequiredService<IEventLoop>() == context.Features.Get<ILoopConnectionFeature>()!.Loop;
                    await context.Response.WriteAsync($"{context.Connection.Id} {Answer(scoped, hasLoop)}");
                });
            },
            HttpProtocols.Http2);
        using var client = new HttpClient
        {
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        string[] answers = await Task.WhenAll(Enumerable.Range(0, Requests).Select(
            _ => client.GetStringAsync(server.Addresses[0], TestContext.Current.CancellationToken))).WithDeadline();

        Assert.Single(answers.Select(static answer => answer.Split(' ')[0]).Distinct());
        Assert.All(answers, static answer => Assert.EndsWith(" alive True", answer, StringComparison.Ordinal));
        await _books.DisposedAsync(Requests);
        Assert.Equal(Enumerable.Range(1, Requests), _books.DisposedIds.Order());
        Assert.Equal(Requests, answers.Select(static answer => answer.Split(' ')[1]).Distinct().Count());
    }

    [Theory, ClassData(typeof(Modes))]
    public async Task UseLoopBridge_Twice_IsAsOnce(LoopBridgeMode mode)
    {
        await using LoopBridgeServer server = await StartAsync(mode, static app =>
        {
            app.UseLoopBridge();
            app.UseLoopBridge();
            app.MapGet("/", static (Scoped scoped, IEventLoop loop, HttpContext context) => Answer(
                scoped, ReferenceEquals(loop, context.Features.Get<ILoopConnectionFeature>()!.Loop)));
        });
        using HttpWire client = await HttpWire.ConnectAsync(server.EndPoint());
        for (int i = 1; i <= 3; i++)
        {
            Assert.Equal($"{i} alive True", (await client.GetAsync("/")).Text);
            await _books.DisposedAsync(i);
        }

        Assert.Equal(3, _books.Created);
    }

    private static string Answer(Scoped scoped, object? more = null) => $"{scoped} {more}".TrimEnd();

    private Task<LoopBridgeServer> StartAsync(LoopBridgeMode mode, Action<WebApplication> app, HttpProtocols protocols = HttpProtocols.Http1)
        => LoopBridgeServer.StartAsync(
            mode,
            LoopDriver.Auto,
            kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = protocols),
            app,
            services => services.AddSingleton(_books).AddScoped<Scoped>());

    // Before the middleware under test: a scope that it finds there.
    private static Task OpenScope(HttpContext context, RequestDelegate next)
    {
        if (context.Request.Path == "/opened")
        {
            context.RequestServices.GetRequiredService<Scoped>().Note = "noted";
        }

        return next(context);
    }

    /// <summary>Who was created, and who was disposed of.</summary>
    private sealed class Books
    {
        private readonly ConcurrentQueue<int> _disposed = new();
        private readonly SemaphoreSlim _disposals = new(0);
        private int _created;
        private int _awaited;

        internal int Created => Volatile.Read(ref _created);

        internal int[] DisposedIds => [.. _disposed];

        internal int Create() => Interlocked.Increment(ref _created);

        internal void Dispose(int id)
        {
            _disposed.Enqueue(id);
            _disposals.Release();
        }

        /// <summary>Waits until so many have been: a request's services end after its response has.</summary>
        internal async Task DisposedAsync(int count)
        {
            for (; _awaited < count; _awaited++)
            {
                await _disposals.WaitAsync(TestContext.Current.CancellationToken).WithDeadline();
            }
        }
    }

    private sealed class Scoped : IDisposable
    {
        private readonly Books _books;
        private readonly int _id;
        private bool _isDisposed;

        public Scoped(Books books)
        {
            _books = books;
            _id = books.Create();
        }

        internal string Note { get; set; } = "";

        public void Dispose()
        {
            _isDisposed = true;
            _books.Dispose(_id);
        }

        public override string ToString() => $"{_id} {(_isDisposed ? "disposed of" : "alive")} {Note}".TrimEnd();
    }

    private sealed class OneService(Scoped scoped) : IServiceProvider
    {
        public object? GetService(Type serviceType) => serviceType == typeof(Scoped) ? scoped : null;
    }
}
