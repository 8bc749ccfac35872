using System.Net;
using System.Net.Sockets;

namespace LoopBridge.Benchmarks.Servers;

/// <summary>A free loopback port for each of the sample's endpoints, so that no two servers ever meet on a fixed one.</summary>
internal sealed class EndpointPorts
{
    public const string Web = "Web";
    public const string Echo = "Echo";
    public const string Http2 = "Http2";
    public const string Https = "Https";

    /// <summary>All that the sample listens on. Every one must be moved, or it would claim its configured port.</summary>
    private static readonly string[] Names = ["Chat", Echo, "Greeter", Http2, Https, Web];

    private readonly Dictionary<string, int> _ports;

    private EndpointPorts(Dictionary<string, int> ports) => _ports = ports;

    public static EndpointPorts Allocate()
    {
        // All are held at once before any is let go: the kernel then cannot hand out the same port twice.
        var held = new List<Socket>();
        try
        {
            var ports = new Dictionary<string, int>();
            foreach (string name in Names)
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                held.Add(socket);
                socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
                ports[name] = ((IPEndPoint)socket.LocalEndPoint!).Port;
            }

            return new EndpointPorts(ports);
        }
        finally
        {
            held.ForEach(socket => socket.Dispose());
        }
    }

    public IPEndPoint this[string name] => new(IPAddress.Loopback, _ports[name]);

    public Uri UrlOf(string name) => new($"{(name == Https ? "https" : "http")}://{this[name]}");

    /// <summary>The same as Kestrel's configuration takes it.</summary>
    public IEnumerable<string> AsArguments()
        => Names.Select(name => $"--Kestrel:Endpoints:{name}:Url={UrlOf(name).GetLeftPart(UriPartial.Authority)}");
}
