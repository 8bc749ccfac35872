using LoopBridge;
using LoopBridge.Kestrel;
using LoopBridge.Loops;
using Microsoft.Extensions.Options;

namespace WebApp.Http;

/// <summary>What runs where.</summary>
internal static class HomePage
{
    internal static IResult Show(HttpContext context, LoopGroup loops, IOptions<LoopBridgeOptions> options)
    {
        LoopMember? own = loops.Find(context.Features.Get<ILoopConnectionFeature>()?.Loop);
        string here = own is null
            ? "This request came over sockets that are not ours (stock sockets, or a test server)."
            : $"This request came over <b>{own.GetStatistics().Name}</b> of {loops.Count}, on the {own.GetStatistics().Driver} driver, in the mode {options.Value.Mode}.";
        return Results.Content($$"""
            <!doctype html>
            <html lang="en">
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width">
            <title>LoopBridge sample</title>
            <style>
              body { font: 16px/1.4 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
              td, th { text-align: left; padding: .2rem 1rem .2rem 0; vertical-align: top; }
              code { background: #f4f4f4; padding: 0 .2rem; }
            </style>
            <h1>One process, three styles</h1>
            <p>{{here}}</p>
            <table>
              <tr><th>where</th><th>what</th></tr>
              <tr><td>5080, 5082 (h2c), 5443 (HTTPS)</td><td>HTTP: <a href="/plaintext">/plaintext</a>, <a href="/json">/json</a>, <a href="/loops">/loops</a>,
                <a href="/resolve?name=localhost">/resolve?name=</a>, <a href="/later?ms=500">/later?ms=</a>,
                <a href="/bytes?n=1000">/bytes?n=</a>, <code>POST /upload</code>, <a href="/block?ms=500">/block?ms=</a>, <code>/ws/echo</code>, <a href="/chat">/chat</a></td></tr>
              <tr><td><code>nc 127.0.0.1 7007</code></td><td>reactor protocol: echo</td></tr>
              <tr><td><code>nc 127.0.0.1 7008</code></td><td>loop handler: greets each line</td></tr>
              <tr><td><code>nc 127.0.0.1 7009</code></td><td>reactor line protocol: a chat room, the one of <a href="/chat">/chat</a></td></tr>
            </table>
            </html>
            """, "text/html; charset=utf-8");
    }
}
