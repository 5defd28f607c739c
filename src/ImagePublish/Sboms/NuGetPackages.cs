using System.Text;
using System.Text.RegularExpressions;
using System.Xml;
using ImagePublish.Common;
using ImagePublish.Diagnostics;

namespace ImagePublish.Sboms;

/// <summary>Reads what NuGet packages say of themselves, in the folders that they were restored to.</summary>
/// <remarks>Packages come from other people: what is too large, damaged or outside a package's folder is not read.</remarks>
internal sealed partial class NuGetPackages(IReadOnlyList<string> folders, IPublishLog log)
{
    private const int MaxNuspecLength = 1 << 20;
    private const int MaxLicenseLength = 256 << 10;
    private const int MaxLicenseLengths = 4 << 20;
    private const int MaxHashLength = 1024;

    private readonly Dictionary<string, Component> known = new(StringComparer.OrdinalIgnoreCase);
    private int licenseLengths;

    /// <summary>Describes a package, each once.</summary>
    public Component Describe(NuGetPackage package)
    {
        var name = $"{package.Id} {package.Version}";
        return known.TryGetValue(name, out var same) ? same : known[name] = Read(package);
    }

    private Component Read(NuGetPackage package)
    {
        var kind = package.IsRuntime ? ComponentKind.Runtime : ComponentKind.Package;
        var component = new Component(kind, package.Id, PackageUrl.WithoutBuild(package.Version))
        {
            Purl = PackageUrl.NuGet(package.Id, package.Version),
        };
        if (FolderOf(package) is not { } folder)
            return component;
        try
        {
            var facts = ReadNuspec(folder, package);
            return component with
            {
                License = ReadLicense(folder, package, facts),
                Supplier = facts.Authors,
                Copyright = facts.Copyright,
                Homepage = facts.ProjectUrl is { } url ? PublicUrl.TryCreate(url) : null,
                Hash = ReadHash(folder, package),
            };
        }
        catch (Exception exception)
            when (exception is XmlException or IOException or UnauthorizedAccessException or InvalidDataException or FormatException)
        {
            log.WarnOrFail(
                DiagnosticCodes.SbomIncomplete,
                $"The SBOM lists '{Text.Sanitize(package.Id)}' {Text.Sanitize(package.Version)} without licence and supplier, because "
                    + $"the package can't be read: {Text.Sanitize(exception.Message).TrimEnd('.')}. "
                    + "Restore it again, or choose another version."
            );
            return component;
        }
    }

    private string? FolderOf(NuGetPackage package)
    {
        if (!Part().IsMatch(package.Id) || !Part().IsMatch(package.Version))
            return null;
        var (id, version) = (Lower(package.Id), Lower(PackageUrl.WithoutBuild(package.Version)));
        return folders.Select(folder => Path.Combine(folder, id, version)).FirstOrDefault(Directory.Exists);
    }

    private static Nuspec ReadNuspec(string folder, NuGetPackage package)
    {
        var file = Path.Combine(folder, Lower(package.Id) + ".nuspec");
        if (!File.Exists(file))
            return new Nuspec();
        using var stream = OpenLimited(file, MaxNuspecLength);
        var settings = new XmlReaderSettings
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            MaxCharactersInDocument = MaxNuspecLength,
            IgnoreComments = true,
        };
        using var reader = XmlReader.Create(stream, settings);
        return Nuspec.Read(reader);
    }

    // The text of a licence that has no identifier is part of the package.
    private License ReadLicense(string folder, NuGetPackage package, Nuspec facts)
    {
        if (LicenseExpression.TryNormalize(facts.License ?? facts.LicenseFromUrl) is { } expression)
            return new License(expression, null);
        if (facts.LicenseFile is not { } name)
            return License.Unknown;
        var root = Path.GetFullPath(folder) + Path.DirectorySeparatorChar;
        var file = Path.GetFullPath(Path.Combine(root, name.Replace('\\', '/')));
        if (!file.StartsWith(root, StringComparison.Ordinal) || !File.Exists(file) || new FileInfo(file).LinkTarget is not null)
            return License.Unknown;
        using var stream = OpenLimited(file, MaxLicenseLength);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var text = Visible(reader.ReadToEnd());
        licenseLengths += text.Length;
        if (licenseLengths > MaxLicenseLengths)
            throw new InvalidDataException($"the licence texts of all packages have more than {MaxLicenseLengths >> 20} MiB");
        return text.Length == 0 ? License.Unknown : new License(null, text);
    }

    private static (string Algorithm, string Hex)? ReadHash(string folder, NuGetPackage package)
    {
        var name = $"{Lower(package.Id)}.{Lower(PackageUrl.WithoutBuild(package.Version))}.nupkg.sha512";
        var file = Path.Combine(folder, name);
        if (!File.Exists(file))
            return null;
        using var reader = new StreamReader(OpenLimited(file, MaxHashLength));
        var hash = Convert.FromBase64String(reader.ReadToEnd().Trim());
        return hash.Length == 64 ? ("SHA512", Convert.ToHexStringLower(hash)) : null;
    }

    private static FileStream OpenLimited(string file, int limit)
    {
        var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        if (stream.Length <= limit)
            return stream;
        stream.Dispose();
        throw new InvalidDataException($"'{Path.GetFileName(file)}' has more than {limit >> 10} KiB");
    }

    // The same text on every system.
    private static string Visible(string text) => Text.Lines(text.ReplaceLineEndings("\n")).Trim();

    private static string Lower(string text) => text.ToLowerInvariant();

    [GeneratedRegex(@"\A(?!\.)[A-Za-z0-9._+-]{1,200}\z")]
    private static partial Regex Part();

    /// <summary>What of a package's manifest a bill of materials has.</summary>
    private sealed class Nuspec
    {
        private const int MaxLength = 2000;

        public string? License { get; private set; }

        public string? LicenseFile { get; private set; }

        public string? LicenseFromUrl { get; private set; }

        public string? Authors { get; private set; }

        public string? Copyright { get; private set; }

        public string? ProjectUrl { get; private set; }

        public static Nuspec Read(XmlReader reader)
        {
            var nuspec = new Nuspec();
            while (reader.Read())
            {
                while (reader.NodeType == XmlNodeType.Element && reader.Depth == 2)
                {
                    var (name, type) = (reader.LocalName, reader.GetAttribute("type"));
                    nuspec.Take(name, type, Shorten(Text(reader)));
                }
            }

            return nuspec;
        }

        // Afterwards the reader is behind the element.
        private static string Text(XmlReader reader)
        {
            using var inner = reader.ReadSubtree();
            var text = new StringBuilder();
            while (inner.Read())
            {
                if (inner.NodeType is XmlNodeType.Text or XmlNodeType.CDATA)
                    text.Append(inner.Value);
            }

            inner.Close();
            reader.Read();
            return text.ToString().Trim();
        }

        private void Take(string name, string? type, string? value)
        {
            switch (name)
            {
                case "license" when type == "expression":
                    License = value;
                    break;
                case "license" when type == "file":
                    LicenseFile = value;
                    break;
                // The gallery gives packages of an expression this address, for clients that know no other.
                case "licenseUrl"
                    when Uri.TryCreate(value, UriKind.Absolute, out var url) && url.Host.StartsWith("licenses.", StringComparison.Ordinal):
                    LicenseFromUrl = Uri.UnescapeDataString(url.AbsolutePath.TrimStart('/'));
                    break;
                case "authors":
                    Authors = value;
                    break;
                case "copyright":
                    Copyright = value;
                    break;
                case "projectUrl":
                    ProjectUrl = value;
                    break;
                default:
                    break;
            }
        }

        private static string? Shorten(string text) => text.Length == 0 ? null : Common.Text.Shortened(text, MaxLength);
    }
}
