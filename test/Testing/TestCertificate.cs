using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace LoopBridge.Testing;

/// <summary>A self-signed certificate for <c>localhost</c>, one for the whole run.</summary>
public static class TestCertificate
{
    private static readonly Lazy<X509Certificate2> Shared = new(() => Create("CN=localhost"));

    public static X509Certificate2 Localhost => Shared.Value;

    /// <summary>A new one with a subject of its own, to tell which of several is served.</summary>
    public static X509Certificate2 Create(string subject)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), password: null, X509KeyStorageFlags.Exportable);
    }
}
