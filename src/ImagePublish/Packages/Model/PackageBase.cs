using System.Text;
using System.Text.RegularExpressions;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;

namespace ImagePublish.Packages.Model;

/// <summary>What a base image says of its packages: which it has, and where more come from.</summary>
internal sealed partial record PackageBase(string Name, BaseFileSystem Files)
{
    private const string Status = "var/lib/dpkg/status";
    private static readonly string[] SourceFolders =
    [
        "etc/apt/sources.list.d",
        "etc/apt/trusted.gpg.d",
        "etc/apt/keyrings",
        "usr/share/keyrings",
    ];

    /// <summary>The packages that it has, as dpkg keeps them; Google's distroless images keep a file for each.</summary>
    /// <exception cref="ImagePublishException"><c>IMG6007</c>: it has none that dpkg knows of.</exception>
    internal string ReadStatus()
    {
        var status = new StringBuilder();
        foreach (
            var paragraph in StatusTexts(Files).SelectMany(ControlParagraph.ReadAll).Where(paragraph => paragraph["Package"] is not null)
        )
            status.Append(paragraph.Text).Append(paragraph["Status"] is null ? "Status: install ok installed\n\n" : "\n");
        return status.Length > 0
            ? status.ToString()
            : throw new ImagePublishException(
                DiagnosticCodes.PackageBaseUnsupported,
                $"Packages can't be added to '{Text.Sanitize(Name)}': it keeps no list of Debian packages, as Alpine's and "
                    + "chiselled images don't. Use a Debian- or Ubuntu-based image, or scratch."
            );
    }

    /// <summary>The packages that an image has, as far as it keeps a list of them.</summary>
    public static IEnumerable<(string Name, string Version)> Installed(BaseFileSystem files) =>
        from paragraph in StatusTexts(files).SelectMany(ControlParagraph.ReadAll)
        where paragraph["Package"] is not null && paragraph["Version"] is not null && paragraph["Status"] is null or "install ok installed"
        select (paragraph["Package"]!, paragraph["Version"]!);

    private static string[] StatusTexts(BaseFileSystem files) =>
        [
            files.TextOf(Status),
            .. files
                .NamesIn(Status + ".d")
                .Where(name => !name.EndsWith(".md5sums", StringComparison.Ordinal))
                .Select(name => files.TextOf($"{Status}.d/{name}")),
        ];

    /// <summary>Its sources and keyrings, by their paths in it, ready to be written to a folder.</summary>
    internal IReadOnlyDictionary<string, string> ReadSources()
    {
        var files = SourceFolders
            .SelectMany(folder => Files.NamesIn(folder).Where(name => PlainName().IsMatch(name)).Select(name => $"{folder}/{name}"))
            .Append("etc/apt/sources.list")
            .ToDictionary(path => path, Files.TextOf)
            .Where(file => file.Value.Length > 0)
            .ToDictionary();
        return files.Keys.Any(path => path.StartsWith("etc/apt/sources", StringComparison.Ordinal))
            ? files
            : new Dictionary<string, string>();
    }

    /// <summary>Whether it is of the same release as a machine, so that the machine's sources serve it.</summary>
    internal bool IsOfRelease(string osRelease) => ReleaseOf(Files.TextOf("etc/os-release")) is { } own && own == ReleaseOf(osRelease);

    private static (string Id, string Version)? ReleaseOf(string osRelease)
    {
        var fields = osRelease
            .Split('\n')
            .Select(line => line.Split('=', 2))
            .Where(pair => pair.Length == 2)
            .DistinctBy(pair => pair[0])
            .ToDictionary(pair => pair[0], pair => pair[1].Trim('"', ' ', '\r'));
        return fields.TryGetValue("ID", out var id) && fields.TryGetValue("VERSION_ID", out var version) ? (id, version) : null;
    }

    [GeneratedRegex("^[A-Za-z0-9][A-Za-z0-9._+-]*$")]
    private static partial Regex PlainName();
}
