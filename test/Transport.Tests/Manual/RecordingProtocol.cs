using System.Text;
using LoopBridge.Protocols;

namespace LoopBridge.Transport.Tests.Manual;

/// <summary>Records what it is told.</summary>
internal class RecordingProtocol : Protocol
{
    private readonly StringBuilder _received = new();

    public string Received => _received.ToString();

    public List<string> Events { get; } = [];

    public Exception? Reason { get; private set; }

    /// <summary>What to do with data, after it is recorded.</summary>
    public Action<string>? OnData { get; set; }

    public override void ConnectionMade() => Events.Add("made");

    public override void DataReceived(ReadOnlySpan<byte> data)
    {
        string text = Encoding.UTF8.GetString(data);
        _received.Append(text);
        OnData?.Invoke(text);
    }

    public override void ProducingResumed() => Events.Add("resumed");

    public override void ConnectionLost(Exception reason)
    {
        Events.Add("lost");
        Reason = reason;
    }
}

/// <summary>As its base, and may go on in one direction.</summary>
internal sealed class HalfCloseRecordingProtocol : RecordingProtocol, IHalfCloseProtocol
{
    public void ReadConnectionLost() => Events.Add("read ended");

    public void WriteConnectionLost() => Events.Add("write ended");
}
