using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ImagePublish.Tasks.Tests.Support;

/// <summary>A certificate for localhost, signed by a CA made for it alone.</summary>
public static class LocalCertificate
{
    /// <summary>
    /// Writes <c>ca/ca.crt</c> (alone in its folder, as tools want it), <c>server.crt</c> and <c>server.key</c> (PEM) into a folder.
    /// </summary>
    public static void Write(string folder)
    {
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authorityRequest = new CertificateRequest("CN=ImagePublish test CA", authorityKey, HashAlgorithmName.SHA256);
        authorityRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        authorityRequest.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        var start = DateTimeOffset.UtcNow.AddDays(-1);
        using var authority = authorityRequest.CreateSelfSigned(start, start.AddDays(30));

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        using var certificate = request.Create(authority, start, start.AddDays(29), RandomNumberGenerator.GetBytes(16));

        var authorityFolder = Directory.CreateDirectory(Path.Combine(folder, "ca")).FullName;
        File.WriteAllText(Path.Combine(authorityFolder, "ca.crt"), authority.ExportCertificatePem());
        File.WriteAllText(Path.Combine(folder, "server.crt"), certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(folder, "server.key"), key.ExportPkcs8PrivateKeyPem());
    }
}
