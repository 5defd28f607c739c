using System.Text;
using System.Text.Json.Nodes;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Registries.Auth.Credentials;

/// <summary>Where a credential is kept, for a line in a log.</summary>
/// <param name="IsHelper">Whether a credential helper keeps it; else it stands in the file, readable to whoever can read the file.</param>
/// <param name="Changed">Whether there was something to do: false where nothing was kept that could be forgotten.</param>
internal sealed record CredentialPlace(string Place, bool IsHelper, bool Changed);

/// <summary>Keeps credentials as <c>docker login</c> does: with the configured credential helper, else in docker's config file. Docker,
/// podman and skopeo find them there.</summary>
internal sealed class CredentialStore(CredentialEnvironment environment, IPublishLog? log = null)
{
    private readonly CredentialHelpers helpers = new(environment);

    /// <summary>Keeps a registry's credential, in place of one that was kept.</summary>
    /// <exception cref="ImagePublishException"><c>IMG5002</c>: the file or the helper can't be used.</exception>
    public async Task<CredentialPlace> StoreAsync(Registry registry, Credential credential, CancellationToken ct)
    {
        var file = ConfigPath;
        if (credential.IsEmpty || credential.EntraToken is not null)
            throw new ImagePublishException(
                DiagnosticCodes.CredentialsUnusable,
                $"There is nothing for {registry} that can be stored: it needs a user name and password, or an identity token."
            );
        var helper = credential.RegistryToken is null ? HelperOf(file, registry) : null;
        var key = AuthKey.GetKey(registry);
        if (helper is not null)
            await helpers.StoreAsync(helper, key, credential, ct);
        // With a helper docker leaves an empty entry, which says that the helper has a credential.
        var entry = helper is not null ? new JsonObject() : Entry(credential);
        var changed = await ConfigFile.UpdateAsync(file, root => Put(root, file, key, entry, registry), log, ct);
        changed |= await ChangeContainersFilesAsync(root => Refresh(root, helper is null ? entry : null, registry), ct);
        return new CredentialPlace(helper ?? file, helper is not null, changed || helper is not null);
    }

    /// <summary>Forgets a registry's credential, in whatever spelling it is kept.</summary>
    /// <exception cref="ImagePublishException"><c>IMG5002</c>: the file or the helper can't be used.</exception>
    public async Task<CredentialPlace> EraseAsync(Registry registry, CancellationToken ct)
    {
        var file = ConfigPath;
        var helper = HelperOf(file, registry);
        var forgot = helper is not null && await EraseFromHelperAsync(helper, registry, ct);
        var changed = File.Exists(file) && await ConfigFile.UpdateAsync(file, root => Remove(root, registry), log, ct);
        changed |= await ChangeContainersFilesAsync(root => Remove(root, registry), ct);
        return new CredentialPlace(helper ?? file, helper is not null, changed || forgot);
    }

    // Podman and skopeo look into their own files first: what an older sign-in left there would win over docker's.
    private async Task<bool> ChangeContainersFilesAsync(Func<JsonObject, bool> change, CancellationToken ct)
    {
        var changed = false;
        foreach (var file in environment.ContainersAuthFiles.Where(File.Exists))
            changed |= await ConfigFile.UpdateAsync(file, change, log, ct);
        return changed;
    }

    // In place, under the spelling that it has; what a helper keeps must not stand in a file too.
    private static bool Refresh(JsonObject root, JsonObject? entry, Registry registry)
    {
        if (
            root["auths"] is not JsonObject auths
            || Spellings(auths, registry) is not [var first, ..]
            || (entry is not null && JsonNode.DeepEquals(auths[first], entry))
        )
            return false;
        Remove(root, registry);
        if (entry is not null)
            auths[first] = entry.DeepClone();
        return true;
    }

    private string ConfigPath =>
        environment.DockerConfig
        ?? throw new ImagePublishException(
            DiagnosticCodes.CredentialsUnusable,
            "There is nowhere to store credentials: neither a home folder nor DOCKER_CONFIG is set."
        );

    private static JsonObject Entry(Credential credential)
    {
        var entry = new JsonObject();
        if (!string.IsNullOrEmpty(credential.Username) || !string.IsNullOrEmpty(credential.Password))
            entry["auth"] = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{credential.Username}:{credential.Password}"));
        if (credential.IdentityToken is { Length: > 0 } identityToken)
            entry["identitytoken"] = identityToken;
        if (credential.RegistryToken is { Length: > 0 } registryToken)
            entry["registrytoken"] = registryToken;
        return entry;
    }

    private static bool Put(JsonObject root, string file, string key, JsonObject entry, Registry registry)
    {
        if (root["auths"] is not (null or JsonObject))
            throw new ImagePublishException(
                DiagnosticCodes.CredentialsUnusable,
                $"{file} can't be changed: its 'auths' is not an object. Fix it first."
            );
        var auths = root["auths"] as JsonObject ?? [];
        if (JsonNode.DeepEquals(auths[key], entry))
            return false;
        foreach (var other in Spellings(auths, registry).Where(other => other != key))
            auths.Remove(other);
        auths[key] = entry;
        if (auths.Parent is null)
            root["auths"] = auths;
        return true;
    }

    private static bool Remove(JsonObject root, Registry registry)
    {
        if (root["auths"] is not JsonObject auths || Spellings(auths, registry) is not { Count: > 0 } kept)
            return false;
        foreach (var key in kept)
            auths.Remove(key);
        return true;
    }

    private static List<string> Spellings(JsonObject auths, Registry registry) =>
        [.. auths.Select(entry => entry.Key).Where(text => AuthKey.TryParse(text, out var key) && key.Covers(registry, null))];

    private static string? HelperOf(string file, Registry registry) => AuthConfigSource.Read(file)?.Helper(registry, null)?.Name;

    private async Task<bool> EraseFromHelperAsync(string helper, Registry registry, CancellationToken ct)
    {
        var forgot = false;
        foreach (var server in new[] { AuthKey.GetKey(registry), registry.Host }.Distinct(StringComparer.Ordinal))
            forgot |= await helpers.GetAsync(helper, server, ct) is not null && await helpers.EraseAsync(helper, server, ct);
        return forgot;
    }
}
