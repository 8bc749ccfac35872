namespace WebApp.Chat;

/// <summary>The room in a browser: the same lines as on the chat's port, over a WebSocket.</summary>
internal static class ChatPage
{
    internal static IResult Show() => Results.Content("""
        <!doctype html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <title>LoopBridge chat</title>
        <style>
          body { font: 16px/1.4 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
          pre { background: #f4f4f4; padding: 1rem; min-height: 16rem; white-space: pre-wrap; }
          input { width: 100%; font: inherit; padding: .4rem; box-sizing: border-box; }
        </style>
        <h1>Chat</h1>
        <p>One room for this page and for <code>nc 127.0.0.1 7009</code>.</p>
        <pre id="room" aria-live="polite"></pre>
        <form><input id="line" autocomplete="off" autofocus aria-label="Your line"></form>
        <script>
          const room = document.getElementById("room"), line = document.getElementById("line");
          const socket = new WebSocket(location.origin.replace(/^http/, "ws") + "/ws/chat");
          const decoder = new TextDecoder();
          const show = text => { room.textContent += text; room.scrollTop = room.scrollHeight; };
          socket.binaryType = "arraybuffer";
          socket.onmessage = e => show(typeof e.data === "string" ? e.data : decoder.decode(e.data, { stream: true }));
          socket.onclose = () => show("* The connection is closed.\n");
          document.querySelector("form").onsubmit = e => { e.preventDefault(); socket.send(line.value + "\n"); line.value = ""; };
        </script>
        </html>
        """, "text/html; charset=utf-8");
}
