using System.Globalization;
using System.IO.Pipelines;

namespace WebApp.Http;

/// <summary>
/// Reads the body as it comes and answers with the count of its bytes. Kestrel's <c>MaxRequestBodySize</c> (30 MB) is the limit; beyond it
/// the answer is 413.
/// </summary>
internal static class Upload
{
    internal static async Task<IResult> CountAsync(PipeReader body, CancellationToken aborted)
    {
        try
        {
            return Results.Text((await ReadToEndAsync(body, aborted)).ToString(CultureInfo.InvariantCulture));
        }
        catch (BadHttpRequestException e)
        {
            // Expected: too large, or cut off. Unhandled, Kestrel would log the client's mistake as an error of ours.
            return Results.Problem(e.Message, statusCode: e.StatusCode);
        }
    }

    private static async Task<long> ReadToEndAsync(PipeReader body, CancellationToken aborted)
    {
        long count = 0;
        while (true)
        {
            ReadResult result = await body.ReadAsync(aborted);
            count += result.Buffer.Length;
            body.AdvanceTo(result.Buffer.End); // what is counted is done with: the sender may go on
            if (result.IsCompleted)
            {
                return count;
            }
        }
    }
}
