using System.Net.Security;

namespace LoopBridge.Manual;

/// <remarks>TLS, of which only the request is real.</remarks>
public sealed partial class MemoryTransport
{
    /// <inheritdoc />
    public bool IsTls => ServerTls is not null || ClientTls is not null;

    /// <summary>What the protocol began TLS with as the server; null if it did not.</summary>
    public SslServerAuthenticationOptions? ServerTls { get; private set; }

    /// <summary>What the protocol began TLS with as the client; null if it did not.</summary>
    public SslClientAuthenticationOptions? ClientTls { get; private set; }

    /// <summary>Records the options. The bytes stay as they are, and no handshake takes place.</summary>
    /// <param name="options">Kept in <see cref="ServerTls"/>.</param>
    /// <param name="handshakeTimeout">Not used.</param>
    /// <exception cref="InvalidOperationException">
    /// The connection has TLS already, or ends in one direction or both, or bytes were received that a paused protocol has not got, or this
    /// is not the loop's thread.
    /// </exception>
    public void StartTls(SslServerAuthenticationOptions options, TimeSpan? handshakeTimeout = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (MayStartTls())
        {
            ServerTls = options;
        }
    }

    /// <summary>Records the options. The bytes stay as they are, and no handshake takes place.</summary>
    /// <param name="options">Kept in <see cref="ClientTls"/>.</param>
    /// <param name="handshakeTimeout">Not used.</param>
    /// <exception cref="InvalidOperationException">
    /// The connection has TLS already, or ends in one direction or both, or bytes were received that a paused protocol has not got, or this
    /// is not the loop's thread.
    /// </exception>
    public void StartTls(SslClientAuthenticationOptions options, TimeSpan? handshakeTimeout = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (MayStartTls())
        {
            ClientTls = options;
        }
    }

    // As a real one: what could not be told apart in the stream is refused.
    private bool MayStartTls()
    {
        ThrowIfOffLoop();
        if (!IsConnected)
        {
            return false;
        }

        return !IsTls && !IsDisconnecting && !_isWriteEnding && !_isReadEnding && _held.WrittenCount == 0
            ? true
            : throw new InvalidOperationException(
                "TLS cannot begin: the connection has it already, or is ending, or bytes wait for a paused protocol.");
    }
}
