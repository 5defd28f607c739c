using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Registries.Auth.Credentials;

/// <summary>Docker's <c>config.json</c> or podman's <c>auth.json</c>, so far as it is about credentials.</summary>
/// <remarks><see href="https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md">containers-auth.json(5)</see>, <see
/// href="https://docs.docker.com/reference/cli/docker/login/#credential-stores">docker login</see>.</remarks>
internal sealed class AuthConfig
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly string where;
    private readonly List<Keyed> auths = [];
    private readonly List<Keyed> helpers = [];
    private readonly string? store;

    private AuthConfig(string where, JsonElement root)
    {
        this.where = where;
        Collect(root, "auths", JsonValueKind.Object, auths);
        Collect(root, "credHelpers", JsonValueKind.String, helpers);
        store = Json.Text(root, "credsStore");
    }

    /// <summary>Reads a document.</summary>
    /// <exception cref="ImagePublishException"><c>IMG5002</c>: it is malformed.</exception>
    public static AuthConfig Parse(ReadOnlyMemory<byte> utf8, string where)
    {
        try
        {
            using var json = Json.Parse(utf8);
            return json.RootElement.ValueKind == JsonValueKind.Object
                ? new AuthConfig(where, json.RootElement)
                : throw Malformed(where, "it is not a JSON object");
        }
        catch (JsonException exception)
        {
            // Only the place: the parser's own words may quote what it read.
            throw Malformed(where, exception.LineNumber is { } line ? $"it is not JSON (line {line + 1})" : "its text is not Unicode");
        }
    }

    /// <summary>The credential that stands in the document itself.</summary>
    /// <exception cref="ImagePublishException"><c>IMG5002</c>: the entry is malformed.</exception>
    public Credential? Find(Registry registry, string? repository) =>
        Matching(auths, registry, repository).Select(Read).FirstOrDefault(credential => credential is not null);

    /// <summary>The helper that keeps the credential, and the name that it may know the registry by; null where none is
    /// configured.</summary>
    public (string Name, IReadOnlyList<string> Servers)? Helper(Registry registry, string? repository)
    {
        var own = Matching(helpers, registry, repository).FirstOrDefault();
        var name = own is null ? store : own.Value.GetString();
        if (string.IsNullOrEmpty(name))
            return null;
        IEnumerable<string> known =
        [
            .. own is { Key.Path.Length: > 0 } ? [own.Text] : Array.Empty<string>(),
            AuthKey.GetKey(registry),
            registry.Host,
        ];
        return (name, [.. known.Distinct(StringComparer.Ordinal)]);
    }

    // The longest path first; of several spellings docker's own.
    private static IEnumerable<Keyed> Matching(List<Keyed> entries, Registry registry, string? repository) =>
        entries
            .Where(entry => entry.Key.Covers(registry, repository))
            .OrderByDescending(entry => entry.Key.Path.Length)
            .ThenByDescending(entry => entry.Text == AuthKey.GetKey(registry))
            .ThenByDescending(entry => entry.Text == registry.Host);

    private static void Collect(JsonElement root, string name, JsonValueKind kind, List<Keyed> entries)
    {
        if (!root.TryGetProperty(name, out var section) || section.ValueKind != JsonValueKind.Object)
            return;
        foreach (var property in section.EnumerateObject())
        {
            if (property.Value.ValueKind == kind && AuthKey.TryParse(property.Name, out var key))
                entries.Add(new Keyed(key, property.Name, property.Value.Clone()));
        }
    }

    private static ImagePublishException Malformed(string where, string reason) =>
        new(
            DiagnosticCodes.CredentialsUnusable,
            $"{where} can't be read for credentials: {reason}. Fix it, or sign in again with 'docker login'."
        );

    private Credential? Read(Keyed entry)
    {
        var element = entry.Value;
        if (Json.Text(element, "registrytoken") is { } registryToken)
            return new Credential { RegistryToken = registryToken };
        var (username, password) = Json.Text(element, "auth") is { } auth
            ? Split(auth, entry.Key.Registry)
            : (Json.Text(element, "username"), Json.Text(element, "password"));
        if (Json.Text(element, "identitytoken") is { } identityToken)
            return new Credential { Username = username, IdentityToken = identityToken };
        return username is null && password is null ? null : Credential.Create(username ?? "", password ?? "");
    }

    private (string? Username, string? Password) Split(string auth, Registry registry)
    {
        string text;
        try
        {
            text = StrictUtf8.GetString(Convert.FromBase64String(auth)).Trim('\0');
        }
        catch (Exception exception) when (exception is FormatException or DecoderFallbackException)
        {
            throw Malformed(where, $"the 'auth' of {registry} is not base64 of a user name and password");
        }

        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon >= 0
            ? (text[..colon], text[(colon + 1)..])
            : throw Malformed(where, $"the 'auth' of {registry} has no ':' between user name and password");
    }

    private sealed record Keyed(AuthKey Key, string Text, JsonElement Value);
}

/// <summary>Credentials of one document: its helpers first, then what stands in it.</summary>
internal sealed class AuthConfigSource : ICredentialSource
{
    private const int LargestFile = 8 * 1024 * 1024;

    private readonly Lazy<AuthConfig?> config;
    private readonly CredentialHelpers helpers;

    private AuthConfigSource(Func<AuthConfig?> read, CredentialHelpers helpers) => (config, this.helpers) = (new(read), helpers);

    public static AuthConfigSource OfVariable(string name, CredentialEnvironment environment, CredentialHelpers helpers) =>
        new(
            () =>
                environment.Set(name) is { } text
                    ? AuthConfig.Parse(Encoding.UTF8.GetBytes(text), $"The environment variable {name}")
                    : null,
            helpers
        );

    public static AuthConfigSource OfFile(string path, CredentialHelpers helpers) => new(() => Read(path), helpers);

    /// <summary>Reads a file.</summary>
    /// <exception cref="ImagePublishException"><c>IMG5002</c>: it can't be read or is malformed.</exception>
    public static AuthConfig? Read(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (file.Length > LargestFile)
                throw new IOException("it is too large");
            var bytes = new byte[file.Length];
            var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return length == 0 ? null : AuthConfig.Parse(bytes.AsMemory(0, length), path);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception exception)
            when (exception is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new ImagePublishException(
                DiagnosticCodes.CredentialsUnusable,
                $"{path} can't be read for credentials: {Text.Sanitize(exception.Message)}",
                exception
            );
        }
    }

    public async ValueTask<Credential?> FindAsync(Registry registry, string? repository, CancellationToken ct)
    {
        if (this.config.Value is not { } config)
            return null;
        if (config.Helper(registry, repository) is var (name, servers))
        {
            foreach (var server in servers)
            {
                if (await helpers.GetAsync(name, server, ct) is { } credential)
                    return credential;
            }
        }

        return config.Find(registry, repository);
    }
}

/// <summary>What a key in docker's or podman's file stands for: a registry, or a part of one.</summary>
internal sealed record AuthKey(Registry Registry, string Path)
{
    private const string DockerHubKey = "https://index.docker.io/v1/";

    public static string GetKey(Registry registry) => registry == Registry.DockerHub ? DockerHubKey : registry.Host;

    /// <summary>Reads a key in any of the spellings that clients have written over the years.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out AuthKey? key)
    {
        key = null;
        var separator = text.IndexOf("://", StringComparison.Ordinal);
        var isUrl = separator >= 0;
        var rest = isUrl ? text[(separator + 3)..] : text;
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var path = slash < 0 ? "" : rest[(slash + 1)..].TrimEnd('/');
        // A URL's path is the API's version, as is that of an old key without a scheme.
        if (isUrl || path is "v1" or "v2")
            path = "";
        if (!Registry.TryParse(slash < 0 ? rest : rest[..slash], out var registry))
            return false;
        key = new AuthKey(registry, path);
        return true;
    }

    /// <summary>Whether it stands for a repository of a registry, or for the whole registry.</summary>
    public bool Covers(Registry registry, string? repository) =>
        Registry == registry
        && (
            Path.Length == 0
            || (repository is not null && (repository == Path || repository.StartsWith(Path + "/", StringComparison.Ordinal)))
        );
}
