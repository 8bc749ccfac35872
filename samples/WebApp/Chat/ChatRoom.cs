using System.Collections.Concurrent;
using System.Text;
using LoopBridge.Protocols;

namespace WebApp.Chat;

/// <summary>
/// Everybody who is in the chat, whatever they came by. Members live on different loops, so each is told on its own.
/// </summary>
internal sealed class ChatRoom
{
    private readonly ConcurrentDictionary<ChatProtocol, byte> _members = [];

    internal void Enter(ChatProtocol member)
    {
        Say($"* {member.Name} is here, with {_members.Count} others.\n");
        _members.TryAdd(member, 0);
    }

    internal void Leave(ChatProtocol member)
    {
        if (_members.TryRemove(member, out _))
        {
            Say($"* {member.Name} has left.\n");
        }
    }

    internal void Say(string text)
    {
        byte[] line = Encoding.UTF8.GetBytes(text);
        foreach (ChatProtocol member in _members.Keys)
        {
            ITransport transport = member.Transport;
            if (transport.Loop.IsOnLoopThread)
            {
                transport.Write(line);
            }
            else
            {
                transport.Reactor.CallFromThread(() => transport.Write(line));
            }
        }
    }
}
