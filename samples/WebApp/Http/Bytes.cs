namespace WebApp.Http;

/// <summary>As many bytes as asked for, written piece by piece: a client that reads slowly holds one piece here, not the whole.</summary>
internal static class Bytes
{
    private const long Most = 1L << 30;

    // Large enough that a system call is worth it, small enough that many slow clients cost little.
    private static readonly ReadOnlyMemory<byte> Piece = MakePiece(64 * 1024);

    internal static async Task<IResult> WriteAsync(HttpContext context, long n = 1024)
    {
        if (n is < 0 or > Most)
        {
            return Results.ValidationProblem(new Dictionary<string, string[]> { ["n"] = [$"Use 0 to {Most}."] });
        }

        context.Response.ContentType = "application/octet-stream";
        context.Response.ContentLength = n;
        while (n > 0)
        {
            ReadOnlyMemory<byte> piece = Piece[..(int)Math.Min(n, Piece.Length)];
            await context.Response.Body.WriteAsync(piece, context.RequestAborted);
            n -= piece.Length;
        }

        return Results.Empty;
    }

    private static byte[] MakePiece(int length)
    {
        byte[] piece = new byte[length];
        for (int i = 0; i < length; i++)
        {
            piece[i] = (byte)('a' + (i % 26));
        }

        return piece;
    }
}
