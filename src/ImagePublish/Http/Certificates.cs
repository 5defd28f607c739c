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

    private readonly List<ClientCertificate> clients = [];

    public void AddAuthorities(string file) => Read(file, () => authorities.ImportFromPemFile(file));

    public void AddFolder(string folder)
    {
        var files = FilesIn(folder);
        foreach (var file in files.Where(file => file.EndsWith(".crt", StringComparison.Ordinal)))
            AddAuthorities(file);
        foreach (var file in files.Where(file => file.EndsWith(".cert", StringComparison.Ordinal)))
            Read(file, () => AddClient(file));
    }

    /// <param name="chosen">The client certificate that was chosen for this host; null before that.</param>
    [SuppressMessage(
        "Security",
        "CA5359:Do not disable certificate validation",
        Justification = "Only for hosts that the user names, and this machine."
    )]
    public SslClientAuthenticationOptions Options(bool acceptAny, ClientCertificate? chosen) =>
        new()
        {
            ClientCertificateContext = (clients.Count == 1 ? clients[0] : chosen)?.CreateContext(),
            LocalCertificateSelectionCallback = clients.Count > 1 && chosen is null ? Choose : null,
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
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(file);
        clients.Add(new ClientCertificate(ReadPair(file), [.. chain.Skip(1)]));
    }

    // As Docker does: the first certificate with an issuer that the server accepts, and none where no certificate has one. The framework
    // sends a chain only from a context, which must be known before the handshake: where there is a chain, the handshake is repeated.
    private X509Certificate2 Choose(
        object sender,
        string targetHost,
        X509CertificateCollection localCertificates,
        X509Certificate? remoteCertificate,
        string[] acceptableIssuers
    )
    {
        // The server has not asked for one.
        if (remoteCertificate is null || clients.Find(client => client.IsIssuedByAny(acceptableIssuers)) is not { } chosen)
            return null!;
        return chosen.HasChain ? throw new ClientCertificateChosenException(chosen) : chosen.Certificate;
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

/// <summary>A client certificate with its key, and the authorities between it and a root.</summary>
internal sealed record ClientCertificate(X509Certificate2 Certificate, IReadOnlyList<X509Certificate2> Intermediates)
{
    public bool HasChain => Intermediates.Count > 0;

    public string Thumbprint => Certificate.Thumbprint;

    /// <param name="issuers">The names of those that a server accepts; none for all.</param>
    public bool IsIssuedByAny(string[] issuers) =>
        issuers.Length == 0 || Intermediates.Prepend(Certificate).Any(one => issuers.Contains(one.Issuer, StringComparer.Ordinal));

    public SslStreamCertificateContext CreateContext() =>
        SslStreamCertificateContext.Create(Certificate, [.. Intermediates], offline: true);
}

/// <summary>Ends a handshake in which a client certificate was chosen that is to be sent with its chain.</summary>
[SuppressMessage("Design", "CA1064:Exceptions should be public", Justification = "It never leaves this module.")]
internal sealed class ClientCertificateChosenException(ClientCertificate certificate) : Exception
{
    public ClientCertificate Certificate { get; } = certificate;
}
