using System.Collections.Concurrent;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries.Auth.Credentials;

namespace ImagePublish.Registries.Auth.Identities;

/// <summary>A credential for a cloud's registry, and until when it is used.</summary>
internal sealed record IdentityCredential(Credential Credential, DateTimeOffset ExpiresAt)
{
    public override string ToString() => $"IdentityCredential {{ {Credential} }}";
}

/// <summary>Signs in to the registries of clouds with the identity that a CI system or the machine gives the build, by the clouds' own
/// documented protocols. Nothing of it is written to disk.</summary>
/// <remarks>One for a build. Each registry is signed in to once, for all who wait, until the credential expires; what was refused, or is
/// not there, is not asked for again.</remarks>
internal sealed class CloudIdentity(
    CredentialEnvironment environment,
    Func<Registry, IdentityClient> connect,
    TimeProvider time,
    IPublishLog log
)
{
    private readonly ConcurrentDictionary<Registry, Outcome> outcomes = new();
    private readonly SingleFlight<Registry, Outcome> lookups = new();

    /// <summary>Finds a credential; null where the build has no identity of that cloud.</summary>
    /// <exception cref="ImagePublishException"><c>IMG5020</c>: the cloud refuses the identity; <c>IMG5021</c>: what describes it is
    /// incomplete or malformed; <c>IMG5022</c>: an answer can't be used; <c>IMG4001</c>, <c>IMG4003</c>: there is none.</exception>
    public async ValueTask<Credential?> FindAsync(Registry registry, CancellationToken ct)
    {
        var outcome = FindKnown(registry) ?? await lookups.RunAsync(registry, stop => ObtainAsync(registry, stop), ct);
        return outcome.Failure is { } failure ? throw new ImagePublishException(failure.Code, failure.Message) : outcome.Credential;
    }

    private Outcome? FindKnown(Registry registry) =>
        outcomes.TryGetValue(registry, out var known) && time.GetUtcNow() < known.ExpiresAt ? known : null;

    private async Task<Outcome> ObtainAsync(Registry registry, CancellationToken ct)
    {
        if (FindKnown(registry) is { } known)
            return known;
        Outcome outcome;
        try
        {
            var found = CloudHost.Find(registry) is { } host ? await AskAsync(host, ct) : null;
            outcome = new Outcome(found?.Credential, found?.ExpiresAt ?? DateTimeOffset.MaxValue, null);
            if (found is not null)
                log.Detail($"Signing in to {registry} with {found.Credential.Identity}.");
        }
        catch (ImagePublishException failure)
        {
            outcome = new Outcome(null, DateTimeOffset.MaxValue, failure);
        }

        return outcomes[registry] = outcome;
    }

    private async Task<IdentityCredential?> AskAsync(CloudHost host, CancellationToken ct)
    {
        var client = connect(host.Registry);
        var search = new IdentitySearch(host, environment, client, time, log);
        var found = host.Cloud switch
        {
            Cloud.Azure => await new AzureIdentity(search).FindAsync(ct),
            Cloud.Amazon => await new AmazonIdentity(search).FindAsync(ct),
            _ => await new GoogleIdentity(search).FindAsync(ct),
        };
        if (found is null && search.Obstacle is { } obstacle)
            throw search.Unusable(obstacle);
        found?.Credential.AddTo(client.Redactor);
        return found;
    }

    private sealed record Outcome(Credential? Credential, DateTimeOffset ExpiresAt, ImagePublishException? Failure);
}

/// <summary>One search for an identity: what it is for, and what was in the way of it so far.</summary>
internal sealed record IdentitySearch(
    CloudHost Host,
    CredentialEnvironment Environment,
    IdentityClient Client,
    TimeProvider Time,
    IPublishLog Log
)
{
    private const int LargestFile = 64 * 1024;

    private static readonly TimeSpan LongestMargin = TimeSpan.FromMinutes(2);

    /// <summary>What keeps an identity that the environment hints at from being used. It is an error only where there is no
    /// other.</summary>
    public string? Obstacle { get; private set; }

    public string? Variable(string name) => Environment.Set(name);

    /// <summary>A variable's value that is sent in a header, or becomes a part of an address.</summary>
    /// <exception cref="ImagePublishException"><c>IMG5021</c>: it has characters that can't be sent.</exception>
    public string? Secret(string name)
    {
        if (Variable(name) is not { } value)
            return null;
        Client.Redactor.Add(value);
        return IdentityAnswer.IsHeaderText(value)
            ? value
            : throw Unusable($"The environment variable {name} contains characters that no token can have. Set it to the token alone");
    }

    public void Hinder(string obstacle) => Obstacle ??= obstacle;

    public ImagePublishException Unusable(string reason) =>
        new(DiagnosticCodes.IdentityUnusable, $"{Host.Registry} can't be signed in to with the build's identity: {reason}.");

    public static IdentityCredential Create(Credential credential, DateTimeOffset issuedAt, DateTimeOffset expiresAt, string identity)
    {
        var margin = (expiresAt - issuedAt) / 5;
        return new IdentityCredential(
            credential with
            {
                Identity = identity,
            },
            expiresAt - (margin < LongestMargin ? margin : LongestMargin)
        );
    }

    /// <summary>Reads a file that a variable or another file names.</summary>
    /// <exception cref="ImagePublishException"><c>IMG5021</c>: it can't be read.</exception>
    public async Task<byte[]> ReadFileAsync(string path, string what, CancellationToken ct)
    {
        try
        {
            await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[LargestFile + 1];
            var length = await file.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, ct);
            return length switch
            {
                0 => throw Unusable($"{what}, {Text.Sanitize(path)}, is empty. Write the token into it again"),
                > LargestFile => throw Unusable($"{what}, {Text.Sanitize(path)}, is larger than {LargestFile / 1024} KiB"),
                _ => bytes[..length],
            };
        }
        catch (Exception exception)
            when (exception is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw Unusable($"{what}, {Text.Sanitize(path)}, can't be read: {Text.Sanitize(exception.Message).TrimEnd('.')}");
        }
    }

    /// <summary>Reads a file that has a token in it and nothing else.</summary>
    /// <exception cref="ImagePublishException"><c>IMG5021</c>: it can't be read, or has something else in it.</exception>
    public async Task<string> ReadTokenFileAsync(string path, string what, CancellationToken ct)
    {
        var token = System.Text.Encoding.UTF8.GetString(await ReadFileAsync(path, what, ct)).Trim();
        Client.Redactor.Add(token);
        return IdentityAnswer.IsHeaderText(token) ? token : throw Unusable($"{what}, {Text.Sanitize(path)}, has no token in it");
    }

    /// <summary>Whether the machine says by its firmware that it is this cloud's, or the user says that it is.</summary>
    public bool MayAskMachine(string product) =>
        Environment.AsksMachine
        || Array.Exists(["sys_vendor", "product_name", "chassis_asset_tag", "bios_version"], name =>
            Environment.Firmware(name)?.Contains(product, StringComparison.OrdinalIgnoreCase) == true
        );
}
