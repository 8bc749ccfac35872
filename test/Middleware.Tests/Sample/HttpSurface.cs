using System.Net;
using System.Text.Json;
using LoopBridge.Testing;

namespace LoopBridge.Middleware.Tests.Sample;

/// <summary>Every HTTP path of the sample, checked through any client.</summary>
internal static class HttpSurface
{
    internal static async Task CheckAsync(HttpClient client, LoopBridgeMode mode, string driver)
    {
        Assert.Contains("One process, three styles", await GetAsync(client, "/", "text/html"), StringComparison.Ordinal);
        Assert.Equal("Hello, World!", await GetAsync(client, "/plaintext", "text/plain"));
        Assert.Equal("""{"message":"Hello, World!"}""", await GetAsync(client, "/json", "application/json"));
        Assert.Contains("<title>LoopBridge chat</title>", await GetAsync(client, "/chat", "text/html"), StringComparison.Ordinal);

        // Three times: what a request ends it must not end for the next.
        for (int i = 0; i < 3; i++)
        {
            Assert.Contains("\"milliseconds\":5", await GetAsync(client, "/later?ms=5", "application/json"), StringComparison.Ordinal);
        }

        using JsonDocument loops = JsonDocument.Parse(await GetAsync(client, "/loops", "application/json"));
        Assert.Equal(2, loops.RootElement.GetArrayLength());
        foreach (JsonElement loop in loops.RootElement.EnumerateArray())
        {
            Assert.Equal(driver, loop.GetProperty("driver").GetString(), ignoreCase: true);
            Assert.Equal(mode.ToString(), loop.GetProperty("mode").GetString());
            Assert.True(Enum.TryParse<LoopScheduling>(loop.GetProperty("scheduling").GetString(), out _));
            Assert.Equal(256, loop.GetProperty("maxWorkers").GetInt32());
            Assert.NotEqual(0, loop.GetProperty("threadId").GetInt32());
            Assert.All(
                ["connections", "turns", "callbacks", "timers", "lagMilliseconds", "overstays", "handOvers", "busyWorkers"],
                name => Assert.True(loop.GetProperty(name).GetDouble() >= 0, $"{name}: {loop}"));
        }

        Assert.Contains("127.0.0.1", await GetAsync(client, "/resolve?name=127.0.0.1", "application/json"), StringComparison.Ordinal);
        await ProblemAsync(client, "/resolve?name=a..b", HttpStatusCode.BadRequest);
        await ProblemAsync(client, "/resolve", HttpStatusCode.BadRequest);
        await ProblemAsync(client, "/later?ms=-1", HttpStatusCode.BadRequest);
        await ProblemAsync(client, "/later?ms=60001", HttpStatusCode.BadRequest);
        Assert.Equal("7", await GetAsync(client, "/block?ms=7", "text/plain"));
        await ProblemAsync(client, "/block?ms=-1", HttpStatusCode.BadRequest);
        await ProblemAsync(client, "/block?ms=60001", HttpStatusCode.BadRequest);
        await ProblemAsync(client, "/bytes?n=-1", HttpStatusCode.BadRequest);
        await ProblemAsync(client, "/bytes?n=9999999999", HttpStatusCode.BadRequest);
        foreach (int length in (int[])[0, 1, 65_536, 1_000_000])
        {
            string bytes = await GetAsync(client, $"/bytes?n={length}", "application/octet-stream");
            Assert.Equal(length, bytes.Length);
            Assert.Equal(await UploadAsync(client, length), $"{length}");
        }

        using HttpResponseMessage upgrade = await client.GetAsync(new Uri("/ws/echo", UriKind.Relative),
            TestContext.Current.CancellationToken).WithDeadline();
        Assert.Equal(HttpStatusCode.UpgradeRequired, upgrade.StatusCode);
    }

    private static async Task<string> GetAsync(HttpClient client, string path, string type)
    {
        using HttpResponseMessage answer = await client.GetAsync(new Uri(path, UriKind.Relative),
            TestContext.Current.CancellationToken).WithDeadline();
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(type, answer.Content.Headers.ContentType!.MediaType);
        return await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken).WithDeadline();
    }

    private static async Task<string> UploadAsync(HttpClient client, int length)
    {
        using HttpResponseMessage answer = await client.PostAsync(new Uri("/upload", UriKind.Relative), new ByteArrayContent(new byte[length]),
            TestContext.Current.CancellationToken).WithDeadline();
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken).WithDeadline();
    }

    private static async Task ProblemAsync(HttpClient client, string path, HttpStatusCode status)
    {
        using HttpResponseMessage answer = await client.GetAsync(new Uri(path, UriKind.Relative),
            TestContext.Current.CancellationToken).WithDeadline();
        Assert.Equal(status, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
    }
}
