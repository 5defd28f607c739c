using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using ImagePublish.Common;
using ImagePublish.Diagnostics;

namespace ImagePublish.Trust;

/// <summary>Reads what a user trusts from a file: a public key, certificates, a trust policy of the Notary Project, or identities whose
/// keyless signatures count. The content says which.</summary>
internal static class TrustFile
{
    private const int MaxSize = 1 << 20;
    private const int MaxCertificates = 200;
    private const string Decide = "decide which images to trust";
    private const string Begin = "-----BEGIN ";

    /// <summary>Reads a file.</summary>
    /// <exception cref="ImagePublishException"><c>IMG6016</c>: it can't be used.</exception>
    public static TrustRule Read(string path)
    {
        var content = ReadBytes(path);
        var name = Path.GetFileName(path);
        var text = Encoding.UTF8.GetString(content).TrimStart('\uFEFF').TrimStart();
        if (text.StartsWith('{'))
            return ReadPolicy(path, content);
        if (text.Contains($"{Begin}CERTIFICATE-----", StringComparison.Ordinal) || content is [0x30, ..])
            return new CertificateRule(name, new TrustAnchors(ReadCertificates(path, content)));
        if (text.Contains("PRIVATE KEY-----", StringComparison.Ordinal))
            throw Unusable(path, "it is a private key. Name the file of the public key, and keep this one away from builds");
        if (text.Contains($"{Begin}PUBLIC KEY-----", StringComparison.Ordinal))
            return new KeyRule(name, ReadKey(path, text));
        throw Unusable(path, "it is neither a public key nor a certificate in PEM, nor a trust policy in JSON");
    }

    /// <summary>Reads the certificates of a file, in PEM or DER.</summary>
    internal static IReadOnlyList<X509Certificate2> ReadCertificates(string path, byte[]? content = null)
    {
        var bytes = content ?? ReadBytes(path);
        var certificates = new X509Certificate2Collection();
        try
        {
            if (bytes is [0x30, ..])
                certificates.Add(X509CertificateLoader.LoadCertificate(bytes));
            else
                certificates.ImportFromPem(Encoding.UTF8.GetString(bytes));
            foreach (var certificate in certificates)
                _ = VerificationKey.Read(certificate);
        }
        catch (CryptographicException exception)
        {
            throw Unusable(path, Text.Sanitize(exception.Message).TrimEnd('.'), exception);
        }

        return certificates.Count is > 0 and <= MaxCertificates
            ? [.. certificates]
            : throw Unusable(path, $"it has {certificates.Count} certificates; 1 to {MaxCertificates} are read");
    }

    /// <param name="use">What the file is for, after "can't".</param>
    internal static ImagePublishException Unusable(string path, string reason, Exception? cause = null, string use = Decide) =>
        new(DiagnosticCodes.TrustUnusable, $"'{Text.Sanitize(path)}' can't {use}: {reason}.", cause);

    private static VerificationKey ReadKey(string path, string pem)
    {
        try
        {
            var fields = PemEncoding.Find(pem);
            var info = Convert.FromBase64String(pem[fields.Base64Data]);
            return pem[fields.Label] == "PUBLIC KEY"
                ? VerificationKey.Read(info)
                : throw Unusable(path, $"it begins with '{Text.Sanitize(pem[fields.Label])}', and a public key was expected");
        }
        catch (Exception exception) when (exception is CryptographicException or FormatException or ArgumentException)
        {
            throw Unusable(path, Text.Sanitize(exception.Message).TrimEnd('.'), exception);
        }
    }

    private static TrustRule ReadPolicy(string path, byte[] content)
    {
        if (HasName(content, "identities"))
            return new KeylessPolicyReader(path).Read(content);
        if (HasName(content, "certificateAuthorities"))
            throw Unusable(
                path,
                "it is a trusted root, which says what sigstore's services sign with and not who may sign images. Name it as 'trustedRoot' "
                    + "in a policy with 'identities'"
            );
        return new NotationPolicyReader(path).Read(content);
    }

    private static bool HasName(byte[] content, string name)
    {
        try
        {
            using var document = SignatureJson.Parse(content, "it");
            return document.RootElement.TryGetProperty(name, out _);
        }
        catch (RefusedSignatureException)
        {
            // What is wrong with it is said by whoever reads it.
            return false;
        }
    }

    internal static byte[] ReadBytes(string path, string use = Decide)
    {
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists)
                throw Unusable(path, "there is no such file", use: use);
            return file.Length <= MaxSize ? File.ReadAllBytes(path) : throw Unusable(path, $"it has more than {MaxSize} bytes", use: use);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Unusable(path, $"it can't be read ({Text.Sanitize(exception.Message).TrimEnd('.')})", exception, use);
        }
    }
}
