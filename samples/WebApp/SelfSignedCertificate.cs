using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace WebApp;

/// <summary>A certificate for this run of the sample only. Nobody trusts it: use <c>curl -k</c>, or configure one of your own.</summary>
internal static class SelfSignedCertificate
{
    /// <summary>
    /// Null where a default certificate is configured, because this one would outrank it. One that is configured for an endpoint wins in
    /// any case.
    /// </summary>
    internal static X509Certificate2? UnlessConfigured(IConfiguration configuration)
        => configuration.GetSection("Kestrel:Certificates:Default").Exists() ? null : Create();

    private static X509Certificate2 Create()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1", "server authentication")], critical: false));
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddYears(1));

        // Windows and macOS want a key that came out of a container.
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), password: null);
    }
}
