using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Packages.Model;

namespace ImagePublish.Sboms;

/// <summary>The operating system of an image and its packages, as the databases of dpkg and apk in the image list them.</summary>
/// <remarks>An image may come from anybody: fields are shortened, and a package without a usable name or version is left out.</remarks>
internal sealed class SystemPackages
{
    private const string StatusFolder = "var/lib/dpkg/status.d/";
    private const string InfoFolder = "var/lib/dpkg/info/";
    private const string HashLists = ".md5sums";
    private const int MaxField = 200;

    private readonly BaseFileSystem files;
    private readonly Dictionary<string, string> release;
    private readonly Dictionary<string, Component> packages = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<string>> needs = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Component> owners = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string?> folders = new(StringComparer.Ordinal);

    public SystemPackages(BaseFileSystem files)
    {
        this.files = files;
        release = ReadRelease(files);
        var id = release.GetValueOrDefault("ID");
        if (id is not null)
            OperatingSystem = new Component(ComponentKind.OperatingSystem, id, release.GetValueOrDefault("VERSION_ID"));
        ReadDebian();
        ReadAlpine();
        ReadChisel();
        // Packages on scratch bring no release file.
        if (packages.Count > 0)
            OperatingSystem ??= new Component(ComponentKind.OperatingSystem, "linux", null);
    }

    /// <summary>The operating system; null where the image has none.</summary>
    public Component? OperatingSystem { get; }

    public IReadOnlyCollection<Component> All => packages.Values;

    public Component? OwnerOf(string path) => owners.GetValueOrDefault(path);

    public Component? Find(string name) => packages.GetValueOrDefault(name);

    public IEnumerable<Component> NeedsOf(string name) =>
        needs.GetValueOrDefault(name, []).Select(Find).OfType<Component>().Where(one => one.Name != name).Distinct();

    private void ReadDebian()
    {
        var texts = files.AllTexts().ToList();
        var databases = texts
            .Where(text =>
                text.Key.StartsWith(StatusFolder, StringComparison.Ordinal) && !text.Key.EndsWith(HashLists, StringComparison.Ordinal)
            )
            .OrderBy(text => text.Key, StringComparer.Ordinal)
            .Select(text => (text.Value, IsInstalled: true))
            .Prepend((TextOf(files, "var/lib/dpkg/status"), IsInstalled: false));
        foreach (var (text, isInstalled) in databases)
        {
            foreach (var paragraph in ControlParagraph.ReadAll(text))
            {
                if (isInstalled || paragraph["Status"]?.EndsWith(" installed", StringComparison.Ordinal) == true)
                    AddDebian(paragraph);
            }
        }

        foreach (var (path, text) in texts)
            ReadDebianFiles(path, text);
    }

    private void AddDebian(ControlParagraph paragraph)
    {
        if (Field(paragraph["Package"]) is not { } name || Field(paragraph["Version"]) is not { } version)
            return;
        var (source, sourceVersion) = SourceOf(Field(paragraph["Source"]) ?? name, version);
        packages[name] = new Component(ComponentKind.SystemPackage, name, version)
        {
            Purl = PurlOf(
                "deb",
                "debian",
                name,
                version,
                ("arch", Field(paragraph["Architecture"])),
                ("upstream", source == name ? null : source)
            ),
            Supplier = Field(paragraph["Maintainer"]),
            Homepage = Field(paragraph["Homepage"]) is { } url ? PublicUrl.TryCreate(url) : null,
            Source = $"built package from: {source} {sourceVersion}",
        };
        needs[name] =
        [
            .. $"{paragraph["Pre-Depends"]},{paragraph["Depends"]}"
                .Split(',', '|')
                .Select(need => need.Trim().Split(' ', ':', '(')[0])
                .Where(need => need.Length > 0),
        ];
    }

    // 'glibc' or 'glibc (2.36-9)'.
    private static (string Name, string Version) SourceOf(string text, string version) =>
        text.Split(' ', 2) is [var name, var own] ? (name, own.Trim('(', ')')) : (text, version);

    private void ReadDebianFiles(string path, string text)
    {
        if (path.StartsWith(InfoFolder, StringComparison.Ordinal))
        {
            var name = path[InfoFolder.Length..^".list".Length].Split(':')[0];
            foreach (var line in LinesOf(text))
                Own(line, name);
        }
        else if (path.StartsWith(StatusFolder, StringComparison.Ordinal) && path.EndsWith(HashLists, StringComparison.Ordinal))
        {
            var name = path[StatusFolder.Length..^HashLists.Length];
            foreach (var line in LinesOf(text).Where(line => line.Contains("  ", StringComparison.Ordinal)))
                Own(line[(line.IndexOf("  ", StringComparison.Ordinal) + 2)..], name);
        }
    }

    // F: a folder, R: a file in it.
    private void ReadAlpine()
    {
        var text = TextOf(files, "lib/apk/db/installed") is { Length: > 0 } old ? old : TextOf(files, "usr/lib/apk/db/installed");
        foreach (var paragraph in text.ReplaceLineEndings("\n").Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
        {
            var lines = paragraph.Split('\n').Where(line => line.Length > 2 && line[1] == ':').ToList();
            if (AddAlpine(lines) is not { } name)
                continue;
            var folder = "";
            foreach (var line in lines)
            {
                if (line[0] == 'F')
                    folder = line[2..];
                else if (line[0] == 'R')
                    Own($"{folder}/{line[2..]}", name);
            }
        }
    }

    private string? AddAlpine(List<string> lines)
    {
        var fields = lines.GroupBy(line => line[0]).ToDictionary(group => group.Key, group => Field(group.First()[2..]));
        if (fields.GetValueOrDefault('P') is not { } name || fields.GetValueOrDefault('V') is not { } version)
            return null;
        var origin = fields.GetValueOrDefault('o');
        packages[name] = new Component(ComponentKind.SystemPackage, name, version)
        {
            Purl = PurlOf(
                "apk",
                "alpine",
                name,
                version,
                ("arch", fields.GetValueOrDefault('A')),
                ("upstream", origin == name ? null : origin)
            ),
            License = LicenseExpression.TryNormalize(fields.GetValueOrDefault('L')) is { } license
                ? new License(license, null)
                : License.Unknown,
            Supplier = fields.GetValueOrDefault('m'),
            Homepage = fields.GetValueOrDefault('U') is { } url ? PublicUrl.TryCreate(url) : null,
            Source = $"built package from: {origin ?? name} {version}",
        };
        var depends = lines.Find(line => line[0] == 'D')?[2..] ?? "";
        needs[name] = [.. depends.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(need => need.Split('=', '<', '>', '~')[0])];
        return name;
    }

    private void ReadChisel()
    {
        foreach (var entry in ChiselManifest.Read(TextOf(files, KeptFiles.ChiselManifest)))
        {
            if (entry.Path is { } path && entry.Package is { } owner)
                Own(path, owner);
            else if (Field(entry.Package) is { } name && Field(entry.Version) is { } version)
                packages[name] = new Component(ComponentKind.SystemPackage, name, version)
                {
                    Purl = PurlOf("deb", "ubuntu", name, version, ("arch", Field(entry.Architecture))),
                };
        }
    }

    private string PurlOf(string type, string system, string name, string version, params (string Key, string? Value)[] more) =>
        PackageUrl.Create(type, release.GetValueOrDefault("ID") ?? system, name, version, [.. more, ("distro", Distribution)]);

    private string? Distribution => OperatingSystem is { Version: { } version } system ? $"{system.Name}-{version}" : OperatingSystem?.Name;

    // dpkg lists paths as the package had them: '/lib/…', where that is a link to '/usr/lib'.
    private void Own(string path, string name)
    {
        if (!packages.TryGetValue(name, out var owner) || path.Length > ContentBudget.MaxPathBytes)
            return;
        var relative = path.Trim('/');
        if (relative.Length > 0 && FolderOf(LayerPath.ParentOf(relative)) is { } folder)
            owners.TryAdd(LayerPath.Join(folder, LayerPath.NameOf(relative)), owner);
    }

    // Packages have many files in one folder. Where links lead nowhere no file is there.
    private string? FolderOf(string path)
    {
        if (folders.TryGetValue(path, out var known))
            return known;
        string? found;
        try
        {
            found = files.Resolve(path, followLast: true);
        }
        catch (ImagePublishException)
        {
            found = null;
        }

        return folders[path] = found;
    }

    private static Dictionary<string, string> ReadRelease(BaseFileSystem files)
    {
        var text = TextOf(files, "etc/os-release") is { Length: > 0 } own ? own : TextOf(files, "usr/lib/os-release");
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in LinesOf(text))
        {
            if (line.Split('=', 2) is [var name, var value] && Field(value.Trim('"', '\'')) is { } known)
                values[name] = known;
        }

        return values;
    }

    // Where links lead nowhere there is no file.
    private static string TextOf(BaseFileSystem files, string path)
    {
        try
        {
            return files.TextOf(path);
        }
        catch (ImagePublishException)
        {
            return "";
        }
    }

    private static string[] LinesOf(string text) => text.ReplaceLineEndings("\n").Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static string? Field(string? text) => string.IsNullOrWhiteSpace(text) ? null : Text.Shortened(text.Trim(), MaxField);
}
