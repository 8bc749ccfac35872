namespace LoopBridge.Benchmarks.Wrk;

/// <summary>One request before the load: to wrk only statuses above 399 are errors, and a redirect would look like a fast page.</summary>
internal static class HttpProbe
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    public static async Task CheckAsync(Uri url, CancellationToken stop)
    {
        using var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false };
        using var client = new HttpClient(handler) { Timeout = Deadline };
        try
        {
            using HttpResponseMessage response = await client.GetAsync(url, stop).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode)
                throw new MeasurementException($"GET {url} answered {(int)response.StatusCode}.");
        }
        catch (HttpRequestException e)
        {
            throw new MeasurementException($"GET {url} failed: {e.Message}");
        }
        catch (TaskCanceledException) when (!stop.IsCancellationRequested)
        {
            // HttpClient's way to say that its own timeout passed.
            throw new MeasurementException($"GET {url} was not answered within {Deadline.TotalSeconds} s.");
        }
    }
}
