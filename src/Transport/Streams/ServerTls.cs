using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace LoopBridge.Streams;

/// <summary>Finds out when a server is made, and not with its first connection, that its TLS cannot work (L-SRV-08).</summary>
internal static class ServerTls
{
    /// <summary>What to authenticate with; null for no TLS.</summary>
    /// <exception cref="ArgumentException">There is no certificate, or two, or none with a private key.</exception>
    /// <exception cref="FileNotFoundException">A file that is named does not exist.</exception>
    internal static SslServerAuthenticationOptions? Validated(LoopTcpServerOptions options)
    {
        if (options.CertificateFile is null)
        {
            if (options.CertificateKeyFile is not null)
            {
                throw new ArgumentException(
                    $"{nameof(options.CertificateKeyFile)} is set and {nameof(options.CertificateFile)} is not: "
                    + "name the certificate's file, too.");
            }

            if (options.Tls is not null)
            {
                VerifyCertificate(options.Tls);
            }

            return options.Tls;
        }

        if (options.Tls is not null && HasCertificate(options.Tls))
        {
            throw new ArgumentException(
                $"{nameof(options.Tls)} has a certificate and {nameof(options.CertificateFile)} names another: set one of them.");
        }

        SslServerAuthenticationOptions tls = options.Tls ?? new SslServerAuthenticationOptions();
        tls.ServerCertificateContext = Load(options.CertificateFile, options.CertificateKeyFile);
        return tls;
    }

    private static bool HasCertificate(SslServerAuthenticationOptions tls)
        => tls.ServerCertificateContext is not null
            || tls.ServerCertificate is not null
            || tls.ServerCertificateSelectionCallback is not null;

    private static void VerifyCertificate(SslServerAuthenticationOptions tls)
    {
        if (!HasCertificate(tls))
        {
            throw new ArgumentException(
                $"TLS needs a certificate: set ServerCertificateContext in {nameof(LoopTcpServerOptions.Tls)}, or "
                + $"{nameof(LoopTcpServerOptions.CertificateFile)}.");
        }

        if (tls.ServerCertificate is X509Certificate2 { HasPrivateKey: false } certificate)
        {
            throw new ArgumentException($"The certificate '{certificate.Subject}' has no private key: a server needs it.");
        }
    }

    private static SslStreamCertificateContext Load(string certificateFile, string? keyFile)
    {
        VerifyExists(certificateFile, nameof(LoopTcpServerOptions.CertificateFile));
        if (keyFile is not null)
        {
            VerifyExists(keyFile, nameof(LoopTcpServerOptions.CertificateKeyFile));
        }

        if (Path.GetExtension(certificateFile).ToUpperInvariant() is ".PFX" or ".P12")
        {
            return Context(X509CertificateLoader.LoadPkcs12FromFile(certificateFile, password: null), []);
        }

        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(certificateFile);
        return Context(X509Certificate2.CreateFromPemFile(certificateFile, keyFile ?? certificateFile), chain);
    }

    // Offline: what the file does not hold is not fetched from the network while somebody waits for the server to start.
    private static SslStreamCertificateContext Context(X509Certificate2 certificate, X509Certificate2Collection chain)
        => certificate.HasPrivateKey
            ? SslStreamCertificateContext.Create(certificate, chain, offline: true)
            : throw new ArgumentException($"The certificate '{certificate.Subject}' has no private key: a server needs it.");

    private static void VerifyExists(string file, string setting)
    {
        if (!File.Exists(file))
        {
            throw new FileNotFoundException($"{setting} names '{file}', which does not exist.", file);
        }
    }
}
