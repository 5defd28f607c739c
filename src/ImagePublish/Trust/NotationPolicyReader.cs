using System.Text.Json;
using System.Text.Json.Serialization;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Trust;

/// <summary>Reads a <c>trustpolicy.json</c> of notation, with the trust store beside it.</summary>
internal sealed class NotationPolicyReader(string path)
{
    private const int MaxFiles = 100;
    private const string IdentityPrefix = "x509.subject:";

    // notation calls the folder by the first name, and the specification by the second.
    private static readonly string[] StoreFolders = ["truststore", "trust-store"];
    private static readonly string[] StoreTypes = ["ca", "signingAuthority", "tsa"];
    private static readonly string[] CertificateFiles = [".pem", ".crt", ".cer"];
    private static readonly string[] Levels = ["strict", "permissive", "audit", "skip"];

    /// <exception cref="ImagePublishException"><c>IMG6016</c>: the policy or a certificate of its trust store can't be used.</exception>
    public PolicyRule Read(byte[] content)
    {
        PolicyDocument document;
        try
        {
            document = JsonReading.Read(content, PolicyJsonContext.Strict.PolicyDocument, "trust policy");
        }
        catch (JsonException exception)
        {
            throw Unusable(exception.Message.TrimEnd('.'), exception);
        }

        if (document.Version != "1.0")
            throw Unusable($"its version is '{Text.Sanitize(document.Version)}'; 1.0 is supported");
        var statements = document.TrustPolicies.Select(Read).ToList();
        if (statements.Count == 0)
            throw Unusable("it has no trust policies");
        var scopes = statements.SelectMany(statement => statement.Scopes).ToList();
        if (scopes.GroupBy(scope => scope).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw Unusable($"two of its policies are for '{Text.Sanitize(twice.Key)}'");
        return new PolicyRule(Path.GetFileName(path), statements);
    }

    private NotationStatement Read(PolicyEntry entry)
    {
        var name = Text.Sanitize(entry.Name);
        var verification = entry.SignatureVerification;
        var scopes = entry.RegistryScopes;
        if (scopes.Count == 0 || (scopes.Any(scope => scope.Contains('*', StringComparison.Ordinal)) && scopes is not ["*"]))
            throw Unusable($"the registryScopes of '{name}' must be repositories with their registries, or '*' alone");
        if (!Levels.Contains(verification.Level))
            throw Unusable(
                $"the level of '{name}' is '{Text.Sanitize(verification.Level)}', and must be one of {string.Join(", ", Levels)}"
            );
        var statement = new NotationStatement(entry.Name, [.. scopes.Select(Normalize)]);
        if (verification.Level == "skip")
            return scopes is ["*"] ? throw Unusable($"'{name}' skips all repositories, which is no policy") : statement;
        var enforced = new Enforcement(verification);
        if (enforced.Unknown is { } unknown)
            throw Unusable($"'{name}' overrides '{Text.Sanitize(unknown)}' in a way that is not known");
        return statement with { Rule = ReadRule(entry, enforced), OnlyReports = !enforced.Of("authenticity") };
    }

    private NotationRule ReadRule(PolicyEntry entry, Enforcement enforced)
    {
        var stores = (entry.TrustStores ?? [])
            .SelectMany(stores => stores.Split(',', StringSplitOptions.TrimEntries))
            .ToLookup(store => store.Split(':')[0], store => store[(store.IndexOf(':', StringComparison.Ordinal) + 1)..]);
        if (stores.FirstOrDefault(group => !StoreTypes.Contains(group.Key)) is { } unknown)
            throw Unusable($"'{Text.Sanitize(entry.Name)}' has a trust store of the kind '{Text.Sanitize(unknown.Key)}'");
        var timeStamps = ReadStores("tsa", stores["tsa"]);
        var rule = new NotationRule
        {
            Authorities = ReadStores("ca", stores["ca"]),
            SigningAuthorities = ReadStores("signingAuthority", stores["signingAuthority"]),
            TimeStampAuthorities = timeStamps,
            WantsTimeStamp = !timeStamps.IsEmpty && entry.SignatureVerification.VerifyTimestamp != "afterCertExpiry",
            Identities = ReadIdentities(entry),
            EnforcesExpiry = enforced.Of("expiry"),
            EnforcesTime = enforced.Of("authenticTimestamp"),
        };
        return rule.Authorities.IsEmpty && rule.SigningAuthorities.IsEmpty
            ? throw Unusable($"'{Text.Sanitize(entry.Name)}' names no trust store with certificates of authorities (ca:…)")
            : rule;
    }

    private List<SubjectPattern> ReadIdentities(PolicyEntry entry)
    {
        var identities = entry.TrustedIdentities ?? [];
        if (identities is ["*"])
            return [];
        if (identities.Count == 0)
            throw Unusable($"'{Text.Sanitize(entry.Name)}' has no trustedIdentities; '*' stands for all");
        var patterns = new List<SubjectPattern>();
        foreach (var identity in identities)
        {
            if (!identity.StartsWith(IdentityPrefix, StringComparison.Ordinal))
                throw Unusable($"the identity '{Text.Sanitize(identity)}' does not begin with '{IdentityPrefix}'");
            patterns.Add(
                SubjectPattern.TryParse(identity[IdentityPrefix.Length..], out var reason)
                    ?? throw Unusable($"the identity '{Text.Sanitize(identity)}' {Text.Sanitize(reason)}")
            );
        }

        return patterns;
    }

    private TrustAnchors ReadStores(string type, IEnumerable<string> names) => new([.. names.SelectMany(name => ReadStore(type, name))]);

    private IReadOnlyList<System.Security.Cryptography.X509Certificates.X509Certificate2> ReadStore(string type, string name)
    {
        if (name.Length == 0 || name is "." or ".." || name.AsSpan().ContainsAny('/', '\\'))
            throw Unusable($"'{Text.Sanitize(name)}' is not the name of a trust store");
        var root = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var folder = StoreFolders.Select(store => Path.Combine(root, store, "x509", type, name)).FirstOrDefault(Directory.Exists)
            ?? throw Unusable(
                $"its trust store '{type}:{Text.Sanitize(name)}' is not there: expected the folder "
                    + $"truststore/x509/{type}/{Text.Sanitize(name)} beside it"
            );
        var files = FilesOf(folder);
        return files.Count is > 0 and <= MaxFiles
            ? [.. files.SelectMany(file => TrustFile.ReadCertificates(file))]
            : throw Unusable(
                $"its trust store '{type}:{Text.Sanitize(name)}' has {files.Count} certificate files; 1 to {MaxFiles} are read"
            );
    }

    private List<string> FilesOf(string folder)
    {
        try
        {
            var found = new DirectoryInfo(folder).EnumerateFiles().Where(file => CertificateFiles.Contains(file.Extension)).ToList();
            // As the specification wants: a link would let somebody else decide.
            return found.Find(file => file.LinkTarget is not null) is { } link
                ? throw Unusable($"'{Text.Sanitize(link.FullName)}' of its trust store is a link, and must be a file")
                : [.. found.Select(file => file.FullName).Order(StringComparer.Ordinal)];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Unusable($"its trust store can't be read ({Text.Sanitize(exception.Message).TrimEnd('.')})", exception);
        }
    }

    private string Normalize(string scope) =>
        scope == "*" ? scope
        : Reference.TryParse(scope, out var reference, out _) && reference.Digest is null && !HasTag(scope)
            ? reference.Repository.ToString()
        : throw Unusable($"the scope '{Text.Sanitize(scope)}' is not a repository with its registry");

    private static bool HasTag(string scope) => scope.LastIndexOf(':') > scope.LastIndexOf('/');

    private ImagePublishException Unusable(string reason, Exception? cause = null) => TrustFile.Unusable(path, reason, cause);

    /// <summary>Which validations a level enforces.</summary>
    private sealed class Enforcement(PolicyVerification verification)
    {
        private static readonly string[] Validations = ["authenticity", "authenticTimestamp", "expiry", "revocation"];

        private readonly IReadOnlyDictionary<string, string> overrides = verification.Override ?? new Dictionary<string, string>();

        public string? Unknown =>
            overrides
                .Where(one => !Validations.Contains(one.Key) || one.Value is not ("enforce" or "log" or "skip"))
                .Select(one => $"{one.Key}: {one.Value}")
                .FirstOrDefault();

        public bool Of(string validation) =>
            overrides.TryGetValue(validation, out var action)
                ? action == "enforce"
                : verification.Level == "strict" || (verification.Level == "permissive" && validation == "authenticity");
    }
}

internal sealed record PolicyDocument(string Version, IReadOnlyList<PolicyEntry> TrustPolicies);

internal sealed record PolicyEntry(string Name, IReadOnlyList<string> RegistryScopes, PolicyVerification SignatureVerification)
{
    public IReadOnlyList<string>? TrustStores { get; init; }

    public IReadOnlyList<string>? TrustedIdentities { get; init; }
}

internal sealed record PolicyVerification(string Level)
{
    public IReadOnlyDictionary<string, string>? Override { get; init; }

    public string? VerifyTimestamp { get; init; }
}

[JsonSerializable(typeof(PolicyDocument))]
internal sealed partial class PolicyJsonContext : JsonSerializerContext
{
    public static PolicyJsonContext Strict { get; } =
        new(
            new JsonSerializerOptions
            {
                PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
                AllowDuplicateProperties = false,
                MaxDepth = 32,
                RespectNullableAnnotations = true,
                RespectRequiredConstructorParameters = true,
            }
        );
}
