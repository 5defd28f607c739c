using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ImagePublish.Diagnostics;

namespace ImagePublish.Http;

/// <summary>The authorities trusted at one host, and the client certificates to present there.</summary>
/// <remarks><see href="https://docs.docker.com/engine/security/certificates/">Docker, Verify repository client with
/// certificates</see>.</remarks>
internal sealed class Certificates
{
    private readonly X509Certificate2Collection authorities = [];

    // Client certificates with their keys, and what the file of the only one has besides it: the authorities between it and a root.
    private readonly X509Certificate2Collection clients = [];
    private readonly X509Certificate2Collection intermediates = [];

    public void AddAuthorities(string file) => Read(file, () => authorities.ImportFromPemFile(file));

    public void AddFolder(string folder)
    {
        var files = FilesIn(folder);
        foreach (var file in files.Where(file => file.EndsWith(".crt", StringComparison.Ordinal)))
            AddAuthorities(file);
        foreach (var file in files.Where(file => file.EndsWith(".cert", StringComparison.Ordinal)))
            Read(file, () => AddClient(file));
    }

    [SuppressMessage(
        "Security",
        "CA5359:Do not disable certificate validation",
        Justification = "Only for hosts that the user names, and this machine."
    )]
    public SslClientAuthenticationOptions Options(bool acceptAny) =>
        new()
        {
            // A context is sent with its whole chain, as Docker sends it. Of several certificates the framework chooses the one whose
            // issuer the server names, but sends it alone.
            ClientCertificateContext =
                clients.Count == 1 ? SslStreamCertificateContext.Create(clients[0], intermediates, offline: true) : null,
            ClientCertificates = clients.Count > 1 ? clients : null,
            RemoteCertificateValidationCallback =
                acceptAny ? AcceptAny
                : authorities.Count > 0 ? Validate
                : null,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        };

    /// <summary>The folders for a host in Docker's layouts; Windows has no colon in file names.</summary>
    public static IEnumerable<string> FoldersFor(string host, IEnumerable<string> roots) =>
        from root in roots
        from name in new[] { host, host.Replace(":", "", StringComparison.Ordinal) }.Distinct()
        let folder = Path.Combine(root, name)
        where Directory.Exists(folder)
        select folder;

    private static bool AcceptAny(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) => true;

    private void AddClient(string file)
    {
        clients.Add(ReadPair(file));
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(file);
        intermediates.AddRange(chain.Skip(1).ToArray());
    }

    private static X509Certificate2 ReadPair(string file)
    {
        using var pair = X509Certificate2.CreateFromPemFile(file, Path.ChangeExtension(file, ".key"));
        // Windows can't use a key that lives in memory only.
        return X509CertificateLoader.LoadPkcs12(pair.Export(X509ContentType.Pkcs12), null);
    }

    private static void Read(string file, Action read)
    {
        try
        {
            read();
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new ImagePublishException(
                DiagnosticCodes.CertificateUntrusted,
                $"The certificate file {file} can't be used: {e.Message} Fix or remove it.",
                e
            );
        }
    }

    private static string[] FilesIn(string folder)
    {
        try
        {
            return [.. Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImagePublishException(
                DiagnosticCodes.CertificateUntrusted,
                $"The certificate folder {folder} can't be read: {e.Message} Let the user who builds read it, or remove it.",
                e
            );
        }
    }

    private bool Validate(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None)
            return true;
        if (errors != SslPolicyErrors.RemoteCertificateChainErrors || certificate is null)
            return false;
        using var own = new X509Chain();
        own.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        own.ChainPolicy.CustomTrustStore.AddRange(authorities);
        own.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        own.ChainPolicy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.1", "TLS server"));
        foreach (var element in chain?.ChainElements ?? Enumerable.Empty<X509ChainElement>())
            own.ChainPolicy.ExtraStore.Add(element.Certificate);
        using var leaf = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        return own.Build(leaf);
    }
}
