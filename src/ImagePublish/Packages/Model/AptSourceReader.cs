using System.Text;
using System.Text.RegularExpressions;
using ImagePublish.Common;
using ImagePublish.Diagnostics;

namespace ImagePublish.Packages.Model;

/// <summary>Reads the package sources of a base image. They were written by somebody else, and apt obeys what it reads: it would take files
/// of this machine for indexes, or not check signatures.</summary>
/// <remarks>
/// Only what a source needs is taken: http(s) addresses, suites, components, architectures and keys, each by its grammar. Other options are
/// left out. A source that can't be taken is an error: without it, for example without security updates, other packages would be chosen
/// than its author meant. <see href="https://manpages.debian.org/sources.list.5">sources.list(5)</see>.
/// </remarks>
internal sealed partial class AptSourceReader(string image, Predicate<string> hasKeyring)
{
    private const string Architectures = "Architectures";
    private const string SignedBy = "Signed-By";
    private const string KeyBegin = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
    private const string KeyEnd = "-----END PGP PUBLIC KEY BLOCK-----";

    private static readonly string[] KeyringFolders = ["etc/apt/trusted.gpg.d/", "etc/apt/keyrings/", "usr/share/keyrings/"];
    private static readonly string[] Known = ["Types", "URIs", "Suites", "Components", "Enabled", Architectures, SignedBy];
    private static readonly string[] Off = ["no", "false", "without", "off", "disable", "0"];

    /// <summary>Reads a file of the one-line format.</summary>
    /// <exception cref="ImagePublishException"><c>IMG6012</c>: one can't be used.</exception>
    public IEnumerable<AptSource> ReadLines(string text)
    {
        foreach (var whole in text.ReplaceLineEndings("\n").Split('\n'))
        {
            var line = whole.Split('#', 2)[0].TrimStart('\uFEFF').Trim();
            if (!BinarySource().IsMatch(line))
                continue;
            var match = OneLine().Match(line);
            if (!match.Success)
                throw Refused(line, "it is not written as sources.list(5) says");
            var options = Words(match.Groups["options"].Value).Select(option => option.Split('=', 2)).ToList();
            yield return Read(
                new Fields(
                    [match.Groups["address"].Value],
                    [match.Groups["suite"].Value],
                    Words(match.Groups["components"].Value),
                    Option("arch"),
                    Option("signed-by"),
                    [.. options.Where(option => option is not [("arch" or "signed-by"), _]).Select(option => string.Join('=', option))]
                )
            );

            string Option(string name)
            {
                var values = options.Where(option => option[0] == name && option.Length == 2).Select(option => option[1].Replace(',', ' '));
                return string.Join(' ', values);
            }
        }
    }

    /// <summary>Reads a file of the deb822 format.</summary>
    /// <exception cref="ImagePublishException"><c>IMG6012</c>: one can't be used.</exception>
    public IEnumerable<AptSource> ReadParagraphs(string text)
    {
        foreach (var paragraph in ControlParagraph.ReadAll(text.TrimStart('\uFEFF')))
        {
            if (!Words(paragraph["Types"]).Contains("deb") || Off.Contains(paragraph["Enabled"], StringComparer.OrdinalIgnoreCase))
                continue;
            yield return Read(
                new Fields(
                    Words(paragraph["URIs"]),
                    Words(paragraph["Suites"]),
                    Words(paragraph["Components"]),
                    paragraph[Architectures] ?? "",
                    paragraph[SignedBy] ?? "",
                    [.. paragraph.Names.Where(IsIgnored).Select(name => $"{name}: {paragraph[name]}")]
                )
            );
        }
    }

    private static bool IsIgnored(string field) =>
        !Known.Contains(field, StringComparer.OrdinalIgnoreCase) && !field.StartsWith("X-", StringComparison.OrdinalIgnoreCase);

    private AptSource Read(Fields fields)
    {
        if (Array.Find(fields.Addresses, address => !Address().IsMatch(address)) is { } address)
            throw Refused(address, WhyNot(address));
        Require(fields, fields.Addresses.Length > 0 && fields.Suites.Length > 0, "it names no address or no suite");
        Require(fields, fields.Suites.All(IsSuite), "one of its suites is not valid");
        Require(fields, fields.Components.All(component => Component().IsMatch(component)), "one of its components is not valid");
        var architectures = Words(fields.Architectures);
        Require(fields, architectures.All(name => Architecture().IsMatch(name)), "one of its architectures is not valid");
        var source = new AptSource([.. fields.Addresses.Select(one => one.TrimEnd('/'))], fields.Suites, fields.Components)
        {
            Architectures = architectures,
            Ignored = fields.Ignored,
        };
        return fields.Keys.Contains(KeyBegin, StringComparison.Ordinal)
            ? source with
            {
                InlineKey = ReadInlineKey(fields),
            }
            : WithKeyrings(source, fields);
    }

    private List<string> ReadInlineKey(Fields fields)
    {
        var lines = fields.Keys.Split('\n', StringSplitOptions.TrimEntries).SkipWhile(line => line.Length == 0).ToList();
        var isKey = lines[0] == KeyBegin && lines[^1] == KeyEnd && lines.TrueForAll(line => KeyLine().IsMatch(line));
        Require(fields, isKey, "its key is not valid");
        return lines;
    }

    private AptSource WithKeyrings(AptSource source, Fields fields)
    {
        var names = Words(fields.Keys.Replace(',', ' '));
        var keyrings = names.Where(name => name.StartsWith('/')).Select(name => name[1..]).ToList();
        var fingerprints = names.Where(name => !name.StartsWith('/')).ToList();
        if (keyrings.Find(path => !IsKeyring(path)) is { } foreign)
        {
            var folders = string.Join(", ", KeyringFolders.Select(folder => $"/{folder.TrimEnd('/')}"));
            Require(fields, false, $"its key '/{Text.Sanitize(foreign)}' is not in a folder of keyrings ({folders})");
        }

        if (keyrings.Find(path => !hasKeyring(path)) is { } missing)
            Require(fields, false, $"neither the image nor this machine has its key '/{Text.Sanitize(missing)}'");
        Require(
            fields,
            fingerprints.TrueForAll(name => Fingerprint().IsMatch(name)),
            "its Signed-By names something that is neither a keyring nor a fingerprint"
        );
        return source with { Keyrings = keyrings, Fingerprints = fingerprints };
    }

    private void Require(Fields fields, bool isGiven, string otherwise)
    {
        if (!isGiven)
            throw Refused(fields.Addresses.FirstOrDefault() ?? "", otherwise);
    }

    private static string WhyNot(string address)
    {
        if (!address.StartsWith("http://", StringComparison.Ordinal) && !address.StartsWith("https://", StringComparison.Ordinal))
            return "only http and https addresses are taken from a base image";
        return address.Split('/')[2].Contains('@', StringComparison.Ordinal)
            ? "a user name is not taken from a base image"
            : "its address is malformed";
    }

    private ImagePublishException Refused(string source, string why) =>
        new(
            DiagnosticCodes.PackageSourceRefused,
            $"A package source of the base image '{Text.Sanitize(image)}' is refused, '{Text.Sanitize(source)}': {why}. Name "
                + "the package sources to use in ImagePackageSource."
        );

    private static string[] Words(string? text) => text?.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) ?? [];

    private static bool IsSuite(string suite) => Suite().IsMatch(suite) && !suite.Split('/').Contains("..");

    private static bool IsKeyring(string path) =>
        Array.Find(KeyringFolders, folder => path.StartsWith(folder, StringComparison.Ordinal)) is { } folder
        && KeyringName().IsMatch(path[folder.Length..]);

    private sealed record Fields(
        string[] Addresses,
        string[] Suites,
        string[] Components,
        string Architectures,
        string Keys,
        IReadOnlyList<string> Ignored
    );

    [GeneratedRegex(@"\Adeb[\s\[]")]
    private static partial Regex BinarySource();

    [GeneratedRegex(@"\Adeb\s*(\[(?<options>[^\]]*)\]\s*)?(?<address>\S+)\s+(?<suite>\S+)(?<components>(\s+\S+)*)\z")]
    private static partial Regex OneLine();

    // Names, IPv4 and IPv6 addresses, a port, and a path without a query.
    [GeneratedRegex(
        @"\Ahttps?://([A-Za-z0-9]([A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?(/[A-Za-z0-9._~%+=:,@/-]{0,2000})?\z"
    )]
    private static partial Regex Address();

    [GeneratedRegex(@"\A[A-Za-z0-9./][A-Za-z0-9._+~:/-]{0,500}\z")]
    private static partial Regex Suite();

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._+/-]{0,200}\z")]
    private static partial Regex Component();

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9-]{0,50}\z")]
    private static partial Regex Architecture();

    [GeneratedRegex(@"\A[0-9A-Fa-f]{16,64}!?\z")]
    private static partial Regex Fingerprint();

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._+-]*\z")]
    private static partial Regex KeyringName();

    [GeneratedRegex(@"\A[A-Za-z0-9+/=:.,;()<>@_ -]{0,200}\z")]
    private static partial Regex KeyLine();
}

/// <summary>One package source, read and checked: what is in here is written into a file for apt, and nothing else of what a base image
/// says.</summary>
internal sealed record AptSource(IReadOnlyList<string> Addresses, IReadOnlyList<string> Suites, IReadOnlyList<string> Components)
{
    public IReadOnlyList<string> Architectures { get; init; } = [];

    /// <summary>Keyrings, by their paths in the image, without a separator in front.</summary>
    public IReadOnlyList<string> Keyrings { get; init; } = [];

    public IReadOnlyList<string> Fingerprints { get; init; } = [];

    public IReadOnlyList<string> InlineKey { get; init; } = [];

    /// <summary>What was left out, as it stands in the image: for the log.</summary>
    public IReadOnlyList<string> Ignored { get; init; } = [];

    public string Write(Func<string, string> keyringPath)
    {
        var text = new StringBuilder("Types: deb\n");
        Append("URIs", Addresses);
        Append("Suites", Suites);
        Append("Components", Components);
        Append("Architectures", Architectures);
        Append("Signed-By", [.. Keyrings.Select(keyringPath), .. Fingerprints]);
        if (InlineKey.Count > 0)
            text.Append("Signed-By:\n").Append(string.Concat(InlineKey.Select(line => $" {line}\n")));
        return text.Append('\n').ToString();

        void Append(string name, IReadOnlyList<string> values)
        {
            if (values.Count > 0)
                text.Append(name).Append(": ").AppendJoin(' ', values).Append('\n');
        }
    }
}
