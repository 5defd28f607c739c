using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using ImagePublish.Common;
using ImagePublish.Diagnostics;

namespace ImagePublish.Oci;

/// <summary>What an image runs on: operating system, architecture and, where it matters, variant and version.</summary>
/// <remarks>
/// <see href="https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md">image-spec, Image Index</see>, property
/// <c>platform</c>.
/// </remarks>
internal sealed record Platform(string Os, string Architecture) : IJsonObject
{
    public string? Variant { get; init; }

    /// <summary>The operating system's version, which Windows images must match.</summary>
    public string? OsVersion { get; init; }

    public IReadOnlyList<string>? OsFeatures { get; init; }

    public IReadOnlyList<JsonField> Unknown { get; init; } = [];

    public static Platform Read(JsonObjectReader json) =>
        new(json.RequiredString("os"), json.RequiredString("architecture"))
        {
            Variant = json.OptionalString("variant"),
            OsVersion = json.OptionalString("os.version"),
            OsFeatures = json.OptionalStrings("os.features"),
            Unknown = json.Rest(),
        };

    public void WriteProperties(Utf8JsonWriter json)
    {
        json.WriteString("os", Os);
        json.WriteString("architecture", Architecture);
        json.WriteOptional("variant", Variant);
        json.WriteOptional("os.version", OsVersion);
        json.WriteStrings("os.features", OsFeatures);
        json.WriteFields(Unknown);
    }

    /// <summary>Reads <c>os/architecture</c> or <c>os/architecture/variant</c>.</summary>
    /// <exception cref="ImagePublishException"><c>IMG1003</c>: it is malformed.</exception>
    public static Platform Parse(string text) =>
        TryParse(text, out var platform)
            ? platform
            : throw new ImagePublishException(
                DiagnosticCodes.InvalidPlatform,
                $"'{Text.Sanitize(text)}' is not a platform: expected os/architecture or os/architecture/variant, such as linux/arm64."
            );

    /// <summary>Reads <c>os/architecture</c> or <c>os/architecture/variant</c> if it is one.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out Platform? platform)
    {
        var parts = text?.Split('/') ?? [];
        var wellFormed = parts.Length is 2 or 3 && parts.All(part => part.Length > 0 && IsPart(part));
        platform = wellFormed ? new Platform(parts[0], parts[1]) { Variant = parts.Length == 3 ? parts[2] : null } : null;
        return wellFormed;
    }

    /// <summary>Whether an image for this platform runs where <paramref name="wanted"/> is asked for.</summary>
    /// <remarks>
    /// A variant that is not named is the architecture's usual one: <c>v8</c> for arm64, <c>v7</c> for arm, <c>v1</c> for amd64.
    /// </remarks>
    /// <param name="wanted">The platform asked for; its version, if any, must be the beginning of this one's.</param>
    public bool Satisfies(Platform wanted) =>
        Os == wanted.Os
        && Architecture == wanted.Architecture
        && EffectiveVariant == wanted.EffectiveVariant
        && (wanted.OsVersion is null || (OsVersion ?? "").StartsWith(wanted.OsVersion, StringComparison.Ordinal));

    public override string ToString()
    {
        var variant = string.IsNullOrEmpty(Variant) ? "" : $"/{Variant}";
        var version = string.IsNullOrEmpty(OsVersion) ? "" : $" ({OsVersion})";
        return Text.OneLine($"{Known(Os)}/{Known(Architecture)}{variant}{version}");
    }

    /// <summary>The first of a document's words for a platform that is not well formed. Nothing of it is left out where a platform is
    /// shown, so such a document is refused.</summary>
    /// <remarks>
    /// An empty word counts as one that is missing: configs of artifacts have them. Versions are numbers with dots on Windows, the only
    /// system that images of name one; other systems' versions (<c>14.2-RELEASE</c>, <c>6.1.0+deb12~rc1</c>) would be read, too.
    /// </remarks>
    internal static (string Name, string Value, string Expected)? FindMalformed(
        string? os,
        string? architecture,
        string? variant,
        string? osVersion
    )
    {
        const string Word = "letters, digits, '.', '_' and '-', fewer than 64";
        if (os is not null && !IsPart(os))
            return ("os", os, Word);
        if (architecture is not null && !IsPart(architecture))
            return ("architecture", architecture, Word);
        if (variant is not null && !IsPart(variant))
            return ("variant", variant, Word);
        if (osVersion is not null && !IsVersion(osVersion))
            return ("['os.version']", osVersion, "letters, digits, '.', '_', '-', '+' and '~', fewer than 64");
        return null;
    }

    private static bool IsPart(string text) => text.Length < 64 && text.All(IsWordCharacter);

    private static bool IsVersion(string text) =>
        text.Length < 64 && text.All(character => IsWordCharacter(character) || character is '+' or '~');

    private static bool IsWordCharacter(char character) => char.IsAsciiLetterOrDigit(character) || character is '_' or '.' or '-';

    private static string Known(string part) => part.Length == 0 ? "unknown" : part;

    private string EffectiveVariant =>
        Variant
        ?? Architecture switch
        {
            "arm64" => "v8",
            "arm" => "v7",
            "amd64" => "v1",
            _ => "",
        };
}
