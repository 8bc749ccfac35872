namespace WebApp.Http;

internal static class Plaintext
{
    private static readonly ReadOnlyMemory<byte> Body = "Hello, World!"u8.ToArray();

    internal static Task Write(HttpContext context)
    {
        context.Response.ContentType = "text/plain";
        context.Response.ContentLength = Body.Length;
        return context.Response.Body.WriteAsync(Body).AsTask();
    }
}
