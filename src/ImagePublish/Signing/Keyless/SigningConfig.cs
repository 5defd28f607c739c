using System.Text.Json;
using ImagePublish.Oci;
using ImagePublish.Trust;

namespace ImagePublish.Signing.Keyless;

/// <summary>A service of an instance of sigstore.</summary>
/// <param name="Operator">Who runs it: of one operator's services at most one is asked.</param>
internal sealed record SigstoreService(string Address, long ApiVersion, Validity Validity, string Operator);

/// <summary>Services of one kind, and how many of them are asked.</summary>
/// <param name="Count">How many must be asked; null for all of them.</param>
internal sealed record SigstoreServices(IReadOnlyList<SigstoreService> Services, int? Count)
{
    /// <summary>Selects those to ask: of the highest version that there is, the newest of each operator.</summary>
    /// <returns>Fewer than are wanted where there are not more.</returns>
    public IReadOnlyList<SigstoreService> Select(DateTimeOffset now, params long[] versions)
    {
        var usable = Services.Where(one => versions.Contains(one.ApiVersion) && one.Validity.Contains(now)).ToList();
        var newest = usable
            .Where(one => one.ApiVersion == usable.Max(other => other.ApiVersion))
            .OrderByDescending(one => one.Validity.From)
            .DistinctBy(one => one.Operator);
        return [.. newest.Take(Count ?? int.MaxValue)];
    }
}

/// <summary>Which services of an instance of sigstore sign, as its file <c>signing_config.json</c> has it. What they sign with is in the
/// trusted root.</summary>
/// <remarks><see href="https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_trustroot.proto">SigningConfig</see>.</remarks>
internal sealed class SigningConfig
{
    public const string MediaType = "application/vnd.dev.sigstore.signingconfig.v0.2+json";

    private const string Config = "it";

    // As many as a bundle may have.
    private const int MaxServices = 8;

    private SigningConfig(Digest id, JsonElement config)
    {
        Id = id;
        Authorities = new SigstoreServices(ReadServices(config, "caUrls"), 1);
        Logs = new SigstoreServices(ReadServices(config, "rekorTlogUrls"), ReadCount(config, "rekorTlogConfig"));
        TimeStampAuthorities = new SigstoreServices(ReadServices(config, "tsaUrls"), ReadCount(config, "tsaConfig"));
        WantsTimeStamps = SignatureJson.Optional(config, "tsaConfig", JsonValueKind.Object, Config) is not null;
    }

    /// <summary>Changes with everything in it.</summary>
    public Digest Id { get; }

    public SigstoreServices Authorities { get; }

    public SigstoreServices Logs { get; }

    public SigstoreServices TimeStampAuthorities { get; }

    /// <summary>Whether there must be time-stamps, also where the log has a time.</summary>
    public bool WantsTimeStamps { get; }

    /// <exception cref="Diagnostics.ImagePublishException"><c>IMG6016</c>: it can't be used.</exception>
    public static SigningConfig ReadFile(string path)
    {
        const string Use = "name the services that sign";
        try
        {
            return Parse(TrustFile.ReadBytes(path, Use));
        }
        catch (RefusedSignatureException exception)
        {
            throw TrustFile.Unusable(path, exception.Message, exception, Use);
        }
    }

    /// <exception cref="RefusedSignatureException">It is malformed.</exception>
    public static SigningConfig Parse(ReadOnlyMemory<byte> json)
    {
        using var document = SignatureJson.Parse(json, Config);
        if (SignatureJson.OptionalText(document.RootElement, "mediaType", Config) != MediaType)
            throw RefusedSignatureException.Malformed($"{Config} is not a signing config, whose 'mediaType' is {MediaType}");
        return new SigningConfig(Digest.Compute(json.Span), document.RootElement);
    }

    private static List<SigstoreService> ReadServices(JsonElement config, string name)
    {
        if (SignatureJson.Optional(config, name, JsonValueKind.Array, Config) is not { } list)
            return [];
        return [.. SigstoreRoot.ReadObjects(list, name).Select(Read)];

        static SigstoreService Read(JsonElement service) =>
            new(
                SignatureJson.Text(service, "url", Config),
                LogEntry.ReadNumber(service, "majorApiVersion"),
                SigstoreRoot.ReadValidity(service),
                SignatureJson.OptionalText(service, "operator", Config) ?? ""
            );
    }

    private static int? ReadCount(JsonElement config, string name)
    {
        if (SignatureJson.Optional(config, name, JsonValueKind.Object, Config) is not { } choice)
            return 1;
        switch (SignatureJson.OptionalText(choice, "selector", Config))
        {
            case "ANY":
                return 1;
            case "ALL":
                return null;
            case "EXACT" when LogEntry.ReadNumber(choice, "count") is var count and > 0 and <= MaxServices:
                return (int)count;
            default:
                throw RefusedSignatureException.Malformed(
                    $"its '{name}' has a 'selector' other than ANY, ALL, and EXACT with a 'count' of 1 to {MaxServices}"
                );
        }
    }
}
