using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ImagePublish.Tests.Registries;

/// <summary>A client certificate that an intermediate authority signed, whose root is all that a server has.</summary>
internal sealed class ClientCertificate : IDisposable
{
    // The certificate, then the intermediate authority.
    private readonly string chainPem;
    private readonly string keyPem;

    public ClientCertificate(string name = "")
    {
        var start = DateTimeOffset.UtcNow.AddDays(-1);
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Root = Request($"CN=root{name}", rootKey, isAuthority: true).CreateSelfSigned(start, start.AddDays(30));
        using var intermediateKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var intermediate = Request($"CN=intermediate{name}", intermediateKey, isAuthority: true)
            .Create(Root, start, start.AddDays(29), [1])
            .CopyWithPrivateKey(intermediateKey);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var leaf = Request("CN=builder", key, isAuthority: false).Create(intermediate, start, start.AddDays(28), [2]);
        chainPem = $"{leaf.ExportCertificatePem()}\n{intermediate.ExportCertificatePem()}\n";
        keyPem = key.ExportPkcs8PrivateKeyPem();
    }

    public X509Certificate2 Root { get; }

    /// <summary>Writes both beside each other, as Docker expects them.</summary>
    public async Task WriteAsync(string folder, string name, CancellationToken cancellationToken)
    {
        await File.WriteAllTextAsync(Path.Combine(folder, $"{name}.cert"), chainPem, cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder, $"{name}.key"), keyPem, cancellationToken);
    }

    public void Dispose() => Root.Dispose();

    private static CertificateRequest Request(string name, ECDsa key, bool isAuthority)
    {
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(isAuthority ? X509KeyUsageFlags.KeyCertSign : X509KeyUsageFlags.DigitalSignature, true)
        );
        return request;
    }
}
