using System.Text.Json;
using System.Text.Json.Serialization;
using ImagePublish.Common;
using ImagePublish.Oci;

namespace ImagePublish.Trust;

/// <summary>Reads whose keyless signatures are trusted: identities, and the trusted root of an instance of sigstore.</summary>
internal sealed class KeylessPolicyReader(string path)
{
    private const int MaxIdentities = 100;

    public KeylessRule Read(byte[] content)
    {
        KeylessDocument document;
        try
        {
            document = JsonReading.Read(content, KeylessJsonContext.Strict.KeylessDocument, "trust policy");
        }
        catch (JsonException exception)
        {
            throw TrustFile.Unusable(path, exception.Message.TrimEnd('.'), exception);
        }

        if (document.Identities.Count is 0 or > MaxIdentities)
            throw TrustFile.Unusable(path, $"it has {document.Identities.Count} identities; 1 to {MaxIdentities} are read");
        return new KeylessRule(Path.GetFileName(path), ReadRoot(document.TrustedRoot), [.. document.Identities.Select(Read)]);
    }

    /// <summary>Reads the trusted root of an instance of sigstore.</summary>
    /// <exception cref="Diagnostics.ImagePublishException"><c>IMG6016</c>: it can't be used.</exception>
    public static SigstoreRoot ReadRootFile(string path)
    {
        try
        {
            return SigstoreRoot.Parse(TrustFile.ReadBytes(path));
        }
        catch (RefusedSignatureException exception)
        {
            throw TrustFile.Unusable(path, exception.Message, exception);
        }
    }

    private SigstoreRoot ReadRoot(string? name)
    {
        if (string.IsNullOrEmpty(name))
            return SigstoreRoot.PublicGood;
        return ReadRootFile(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, name));
    }

    private IdentityPattern Read(KeylessEntry entry)
    {
        // It would be whoever has a certificate: everybody.
        if (entry.Subject.Trim('*').Length == 0 || entry.Issuer.Length == 0 || entry.Issuer.Contains('*', StringComparison.Ordinal))
            throw TrustFile.Unusable(
                path,
                $"the identity '{Text.Sanitize(entry.Subject)}' by '{Text.Sanitize(entry.Issuer)}' must have a subject that is more than "
                    + "'*', and the whole address of an issuer"
            );
        return new IdentityPattern(entry.Subject, entry.Issuer) { SourceRepository = entry.SourceRepository, SourceRef = entry.SourceRef };
    }
}

internal sealed record KeylessDocument(IReadOnlyList<KeylessEntry> Identities)
{
    public string? TrustedRoot { get; init; }
}

internal sealed record KeylessEntry(string Issuer, string Subject)
{
    public string? SourceRepository { get; init; }

    public string? SourceRef { get; init; }
}

[JsonSerializable(typeof(KeylessDocument))]
internal sealed partial class KeylessJsonContext : JsonSerializerContext
{
    /// <summary>What is not known is refused: a misspelled condition would be ignored.</summary>
    public static KeylessJsonContext Strict { get; } =
        new(
            new JsonSerializerOptions
            {
                PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
                AllowDuplicateProperties = false,
                MaxDepth = 16,
                RespectNullableAnnotations = true,
                RespectRequiredConstructorParameters = true,
                UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
            }
        );
}
