namespace LoopBridge.Kestrel;

/// <summary>On each connection whose socket runs on one of our loops: serves a client that finishes sending before it reads.</summary>
internal interface IHalfCloseFeature
{
    /// <summary>
    /// From here on the connection's token fires when the connection is closed, and not at the peer's FIN. To be called before the token is
    /// looked at. Any thread.
    /// </summary>
    void AllowHalfClose();
}
