using System.Text;
using LoopBridge.Protocols;

namespace WebApp.Chat;

/// <summary>Reactor style, by lines: the first is the name, the others are said to everybody.</summary>
internal sealed class ChatProtocol : LineReceiver
{
    private const int LongestName = 32;

    private readonly ChatRoom _room;

    public ChatProtocol(ChatRoom room)
    {
        _room = room;
        Delimiter = "\n"u8.ToArray();
        TrimCarriageReturn = true;
        MaxLineLength = 1024;
    }

    internal string? Name { get; private set; }

    public override void ConnectionMade() => Transport.Write("What is your name?\n"u8);

    public override void LineReceived(ReadOnlySpan<byte> line)
    {
        string text = Encoding.UTF8.GetString(line).Trim();
        if (Name is not null)
        {
            _room.Say($"{Name}: {text}\n");
        }
        else if (text.Length is 0 or > LongestName)
        {
            Transport.Write("A name has 1 to 32 characters. What is yours?\n"u8);
        }
        else
        {
            Name = text;
            Transport.Write(Encoding.UTF8.GetBytes($"Welcome, {Name}.\n"));
            _room.Enter(this);
        }
    }

    public override void LineLengthExceeded(ReadOnlySpan<byte> unparsed)
    {
        Transport.Write("Your line is too long. Goodbye.\n"u8);
        base.LineLengthExceeded(unparsed);
    }

    public override void ConnectionLost(Exception reason) => _room.Leave(this);
}
