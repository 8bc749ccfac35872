namespace LoopBridge.Benchmarks.Servers;

/// <summary>The server to measure: its assembly, and the directory whose <c>appsettings.json</c> it reads.</summary>
internal sealed record ServerApp(string Assembly, string Directory);
