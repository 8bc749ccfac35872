using System.Globalization;
using System.Net;
using System.Net.Security;

namespace LoopBridge.Benchmarks.Http;

/// <summary>
/// One request before the load, whose answer is looked at: to wrk only statuses above 399 are errors, and a redirect would look like a fast
/// page.
/// </summary>
internal static class HttpProbe
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    /// <param name="url">What is asked for; nobody need have signed its certificate.</param>
    /// <param name="uploadBytes">Bytes to post, whose count the answer must hold; zero for a GET.</param>
    /// <param name="isHttp2">Whether to speak HTTP/2 from the first byte.</param>
    /// <param name="stop">Fires when the user gives up.</param>
    public static async Task CheckAsync(Uri url, int uploadBytes, bool isHttp2, CancellationToken stop)
    {
        using var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            // The sample signs its certificate itself; what it is for must still be right.
            SslOptions =
            {
                RemoteCertificateValidationCallback =
                    (_, _, _, errors) => errors is SslPolicyErrors.None or SslPolicyErrors.RemoteCertificateChainErrors,
            },
        };
        using var client = new HttpClient(handler) { Timeout = Deadline };
        using var request = new HttpRequestMessage(uploadBytes > 0 ? HttpMethod.Post : HttpMethod.Get, url)
        {
            Version = isHttp2 ? HttpVersion.Version20 : HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = uploadBytes > 0 ? new ByteArrayContent(new byte[uploadBytes]) : null,
        };
        try
        {
            using HttpResponseMessage response = await client.SendAsync(request, stop).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode)
                throw new MeasurementException($"{request.Method} {url} answered {(int)response.StatusCode}.");

            string answer = await response.Content.ReadAsStringAsync(stop).ConfigureAwait(false);
            if (uploadBytes > 0 && !answer.Contains(uploadBytes.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal))
                throw new MeasurementException($"POST {url} of {uploadBytes} bytes answered: {answer}");
        }
        catch (HttpRequestException e)
        {
            throw new MeasurementException($"{request.Method} {url} failed: {e.Message}");
        }
        catch (TaskCanceledException) when (!stop.IsCancellationRequested)
        {
            // HttpClient's way to say that its own timeout passed.
            throw new MeasurementException($"{request.Method} {url} was not answered within {Deadline.TotalSeconds} s.");
        }
    }
}
