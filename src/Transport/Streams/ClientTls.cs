using System.Net.Security;

namespace LoopBridge.Streams;

/// <summary>TLS of clients that connect by name.</summary>
internal static class ClientTls
{
    /// <summary>The options with the host as the name to verify, unless they name one. The caller's object stays as it is.</summary>
    internal static SslClientAuthenticationOptions ForHost(SslClientAuthenticationOptions options, string host)
        => string.IsNullOrEmpty(options.TargetHost) ? Copy(options, host) : options;

    // The framework's copy constructor is its own. EncryptionPolicy is left out: it is obsolete, and its default is the only good value.
    private static SslClientAuthenticationOptions Copy(SslClientAuthenticationOptions options, string host)
    {
        var copy = new SslClientAuthenticationOptions
        {
            TargetHost = host,
            AllowRenegotiation = options.AllowRenegotiation,
            AllowTlsResume = options.AllowTlsResume,
            ApplicationProtocols = options.ApplicationProtocols,
            CertificateChainPolicy = options.CertificateChainPolicy,
            CertificateRevocationCheckMode = options.CertificateRevocationCheckMode,
            CipherSuitesPolicy = options.CipherSuitesPolicy,
            ClientCertificateContext = options.ClientCertificateContext,
            ClientCertificates = options.ClientCertificates,
            EnabledSslProtocols = options.EnabledSslProtocols,
            LocalCertificateSelectionCallback = options.LocalCertificateSelectionCallback,
            RemoteCertificateValidationCallback = options.RemoteCertificateValidationCallback,
        };
        if (OperatingSystem.IsLinux() || OperatingSystem.IsWindows())
        {
            copy.AllowRsaPkcs1Padding = options.AllowRsaPkcs1Padding;
            copy.AllowRsaPssPadding = options.AllowRsaPssPadding;
        }

        return copy;
    }
}
