using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using ImagePublish.Layers;

namespace ImagePublish.Policies;

/// <summary>Which files may hold a secret, by name and size, and whether one does, by its content.</summary>
internal static partial class SecretFiles
{
    /// <summary>Keys, and files with credentials, are small.</summary>
    public const int MaxLength = 128 * 1024;

    // What holds no key as text or in a form of its own; most of what is published.
    private static readonly HashSet<string> Others = new(
        (
            ".dll .exe .so .dylib .a .pdb .dbg .lib .winmd .wasm .dat .nupkg .snk .zip .gz .br .zst .tar .tgz .7z .png .jpg .jpeg .gif "
            + ".webp .avif .ico .svg .bmp .tif .tiff .woff .woff2 .ttf .otf .eot .css .scss .less .js .mjs .cjs .map .ts .tsx .jsx .html "
            + ".htm .cshtml .razor .vue .mp3 .mp4 .webm .ogg .wav .pdf .doc .docx .xls .xlsx .pptx .proto .onnx .bin .model .db .sqlite "
            + ".mdb .csv .tsv .parquet .avro .resx .resources .md .cs .fs .vb .sql .xsd .xslt .crl .cer .webmanifest"
        ).Split(' '),
        StringComparer.OrdinalIgnoreCase
    );

    private static readonly string[] Lists = [".deps.json", ".runtimeconfig.json", ".staticwebassets.endpoints.json"];

    /// <summary>Whether a file has to be read to see whether it has a secret.</summary>
    public static bool MayHave(string path, long length)
    {
        if (length is < 8 or > MaxLength)
            return false;
        var name = LayerPath.NameOf(path);
        return !Others.Contains(Path.GetExtension(name)) && !Lists.Any(list => name.EndsWith(list, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>What credentials a file has besides private keys; null for none.</summary>
    public static string? FindCredentials(string path, string text)
    {
        var name = LayerPath.NameOf(path).ToLowerInvariant();
        if (IsEnvironment(name))
            return Assignments().IsMatch(text) ? "environment variables for development or deployment" : null;
        if (name.EndsWith(".env", StringComparison.Ordinal))
            return SecretAssignments().IsMatch(text) ? "environment variables with a password or key" : null;
        return name switch
        {
            "secrets.json" => HasValues(text) ? "user secrets" : null,
            "local.settings.json" => ConnectionSecrets().IsMatch(text) ? "local settings with a key" : null,
            "nuget.config" => HasNuGetPasswords(text) ? "passwords of package sources" : null,
            ".npmrc" or ".yarnrc.yml" => NpmTokens().IsMatch(text) ? "tokens of package registries" : null,
            ".netrc" or "_netrc" => NetrcPasswords().IsMatch(text) ? "passwords of hosts" : null,
            ".git-credentials" => UrlPasswords().IsMatch(text) ? "passwords of git servers" : null,
            ".pypirc" or ".pgpass" or ".my.cnf" => PlainPasswords().IsMatch(text) || name == ".pgpass" ? "passwords" : null,
            "config.json" or ".dockerconfigjson" or ".dockercfg" => RegistryPasswords().IsMatch(text) ? "passwords of registries" : null,
            "credentials" => AwsKeys().IsMatch(text) ? "keys of Amazon Web Services" : null,
            _ when name.EndsWith(".publishsettings", StringComparison.Ordinal) => PublishPasswords().IsMatch(text)
                ? "passwords for publishing"
                : null,
            _ => null,
        };
    }

    /// <summary>A file's content as text; what is no text stays as it is, byte for byte.</summary>
    public static string Decode(ReadOnlySpan<byte> content) =>
        content switch
        {
            [0xFF, 0xFE, ..] => Encoding.Unicode.GetString(content[2..]),
            [0xFE, 0xFF, ..] => Encoding.BigEndianUnicode.GetString(content[2..]),
            [0xEF, 0xBB, 0xBF, ..] => Encoding.Latin1.GetString(content[3..]),
            _ => Encoding.Latin1.GetString(content),
        };

    // .env.example and the like are there to be read.
    private static bool IsEnvironment(string name) =>
        name == ".env"
        || (
            name.StartsWith(".env.", StringComparison.Ordinal)
            && name[".env.".Length..].Split('.')[^1] is not ("example" or "sample" or "template" or "dist" or "defaults" or "schema")
        );

    private static bool HasValues(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(
                text,
                new JsonDocumentOptions
                {
                    AllowTrailingCommas = true,
                    CommentHandling = JsonCommentHandling.Skip,
                    MaxDepth = 32,
                }
            );
            return document.RootElement.ValueKind == JsonValueKind.Object && HasValue(document.RootElement);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static bool HasValue(JsonElement element) =>
        element.ValueKind switch
        {
            JsonValueKind.Object => element.EnumerateObject().Any(member => HasValue(member.Value)),
            JsonValueKind.Array => element.EnumerateArray().Any(HasValue),
            JsonValueKind.String => element.GetString() is { Length: > 0 } value && !IsPlaceholder(value),
            _ => false,
        };

    private static bool HasNuGetPasswords(string text) =>
        NuGetPasswords().Matches(Comment().Replace(text, "")).Any(match => !IsPlaceholder(match.Groups[1].Value));

    // %NAME%, ${NAME}, $(NAME), #{NAME}#, <name>: something else puts the value there.
    private static bool IsPlaceholder(string value) => Placeholder().IsMatch(value);

    [GeneratedRegex(@"^\s*(?:%[^%]+%|\$\{[^}]+\}|\$\([^)]+\)|#\{[^}]+\}#?|\{\{[^}]+\}\}|<[^>]+>|\*+)\s*$")]
    private static partial Regex Placeholder();

    [GeneratedRegex("<!--.*?-->", RegexOptions.Singleline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"^[ \t]*(?:export[ \t]+)?[A-Za-z_][\w.:-]*[ \t]*=[ \t]*[^\s#]", RegexOptions.Multiline)]
    private static partial Regex Assignments();

    [GeneratedRegex(
        @"^[ \t]*(?:export[ \t]+)?\w*(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CONNECTION_?STRING)\w*[ \t]*="
            + @"[ \t]*(?![""']?(?:\$\{|%|<))[^\s#]",
        RegexOptions.Multiline | RegexOptions.IgnoreCase
    )]
    private static partial Regex SecretAssignments();

    [GeneratedRegex(@"\b(?:AccountKey|SharedAccessKey|Password|Pwd)=[^;""{<%$\s]", RegexOptions.IgnoreCase)]
    private static partial Regex ConnectionSecrets();

    [GeneratedRegex(@"key\s*=\s*""(?:ClearText)?Password""\s+value\s*=\s*""([^""]+)""", RegexOptions.IgnoreCase)]
    private static partial Regex NuGetPasswords();

    [GeneratedRegex(@"(?:_authToken|_auth|_password)\s*=\s*[^\s$]|npmAuth(?:Token|Ident):\s*[""']?[^\s$""']", RegexOptions.IgnoreCase)]
    private static partial Regex NpmTokens();

    [GeneratedRegex(@"\bmachine\s+\S+[^#]*?\bpassword\s+\S")]
    private static partial Regex NetrcPasswords();

    [GeneratedRegex(@"^https?://[^:/\s]+:[^@\s]+@", RegexOptions.Multiline)]
    private static partial Regex UrlPasswords();

    [GeneratedRegex(@"^\s*password\s*[=:]\s*\S", RegexOptions.Multiline | RegexOptions.IgnoreCase)]
    private static partial Regex PlainPasswords();

    [GeneratedRegex(@"""(?:auth|identitytoken|registrytoken)""\s*:\s*""[A-Za-z0-9+/=._-]{4,}""")]
    private static partial Regex RegistryPasswords();

    [GeneratedRegex(@"^\s*aws_secret_access_key\s*=\s*\S", RegexOptions.Multiline | RegexOptions.IgnoreCase)]
    private static partial Regex AwsKeys();

    [GeneratedRegex(@"\buserPWD\s*=\s*""[^""]+""", RegexOptions.IgnoreCase)]
    private static partial Regex PublishPasswords();
}
