using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ImagePublish.Common;

namespace ImagePublish.Sboms;

/// <summary>Writes SPDX 2.3 as JSON.</summary>
/// <remarks><see href="https://spdx.github.io/spdx-spec/v2.3/">SPDX 2.3</see>.</remarks>
internal sealed class Spdx
{
    private const string Document = "SPDXRef-DOCUMENT";
    private const string Unknown = "NOASSERTION";

    private readonly Bom bom;
    private readonly Utf8JsonWriter json;
    private readonly ILookup<string, ComponentFile> filesOf;
    private readonly Dictionary<string, string> ids = new(StringComparer.Ordinal);

    private Spdx(Bom bom, Utf8JsonWriter json)
    {
        (this.bom, this.json) = (bom, json);
        foreach (var component in bom.Components.Prepend(bom.Image))
            ids.Add(component.Key, CreateId(component));
        filesOf = bom.Files.ToLookup(file => file.Owner.Key, StringComparer.Ordinal);
    }

    public static byte[] Write(Bom bom)
    {
        var memory = new MemoryStream();
        using (var json = new Utf8JsonWriter(memory, SbomDocument.WriterOptions))
            new Spdx(bom, json).Write();
        memory.WriteByte((byte)'\n');
        return memory.ToArray();
    }

    private void Write()
    {
        json.WriteStartObject();
        json.WriteString("spdxVersion", "SPDX-2.3");
        json.WriteString("dataLicense", "CC0-1.0");
        json.WriteString("SPDXID", Document);
        json.WriteString("name", bom.Name);
        // The address that the specification proposes to those who have none of their own.
        var name = Uri.EscapeDataString(bom.Name.Replace('/', '-'));
        json.WriteString("documentNamespace", $"https://spdx.org/spdxdocs/{name}-{SbomDocument.IdentityOf(bom, SbomFormat.Spdx)}");
        json.WriteStartObject("creationInfo");
        json.WriteString("created", Text.Rfc3339(bom.Created));
        json.WriteStartArray("creators");
        json.WriteStringValue($"Tool: {SbomDocument.Tool}-{SbomDocument.ToolVersion}");
        json.WriteEndArray();
        json.WriteEndObject();
        WritePackages();
        WriteFiles();
        WriteLicenseTexts();
        WriteRelationships();
        json.WriteEndObject();
    }

    private void WritePackages()
    {
        json.WriteStartArray("packages");
        foreach (var component in bom.Components.Prepend(bom.Image))
            Write(component);
        json.WriteEndArray();
    }

    private void Write(Component component)
    {
        json.WriteStartObject();
        json.WriteString("SPDXID", IdOf(component));
        json.WriteString("name", component.Name);
        WriteOptional("versionInfo", component.Version);
        json.WriteString("downloadLocation", Unknown);
        WriteAnalysis([.. filesOf[component.Key]]);
        json.WriteString("licenseConcluded", Unknown);
        json.WriteString("licenseDeclared", component.License.Expression ?? ReferenceTo(component.License.Text) ?? Unknown);
        json.WriteString("copyrightText", component.Copyright ?? Unknown);
        json.WriteString("supplier", component.Supplier is { } supplier ? $"Organization: {supplier}" : Unknown);
        WriteOptional("homepage", component.Homepage);
        WriteOptional("sourceInfo", component.Source);
        WriteOptional("primaryPackagePurpose", PurposeOf(component.Kind));
        if (component.Hash is var (algorithm, hex))
        {
            json.WriteStartArray("checksums");
            WriteChecksum(algorithm, hex);
            json.WriteEndArray();
        }

        if (component.Purl is { } purl)
            WritePurl(purl);
        json.WriteEndObject();
    }

    // A package whose files are listed has a code that is made of them.
    private void WriteAnalysis(IReadOnlyList<ComponentFile> files)
    {
        json.WriteBoolean("filesAnalyzed", files.Count > 0);
        if (files.Count == 0)
            return;
        json.WriteStartObject("packageVerificationCode");
        json.WriteString("packageVerificationCodeValue", VerificationCodeOf(files));
        json.WriteEndObject();
    }

    private static string VerificationCodeOf(IEnumerable<ComponentFile> files)
    {
        var hashes = files.Select(file => Convert.ToHexStringLower(file.Hashes.Sha1)).Order(StringComparer.Ordinal);
        // The specification says which hash it is; it protects nothing.
#pragma warning disable CA5350
        return Convert.ToHexStringLower(SHA1.HashData(Encoding.ASCII.GetBytes(string.Concat(hashes))));
#pragma warning restore CA5350
    }

    private void WritePurl(string purl)
    {
        json.WriteStartArray("externalRefs");
        json.WriteStartObject();
        json.WriteString("referenceCategory", "PACKAGE-MANAGER");
        json.WriteString("referenceType", "purl");
        json.WriteString("referenceLocator", purl);
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private void WriteFiles()
    {
        json.WriteStartArray("files");
        for (var index = 0; index < bom.Files.Count; index++)
        {
            var file = bom.Files[index];
            json.WriteStartObject();
            json.WriteString("SPDXID", FileId(index));
            json.WriteString("fileName", "./" + file.Path);
            json.WriteStartArray("checksums");
            WriteChecksum("SHA1", Convert.ToHexStringLower(file.Hashes.Sha1));
            WriteChecksum("SHA256", Convert.ToHexStringLower(file.Hashes.Sha256));
            json.WriteEndArray();
            json.WriteString("licenseConcluded", Unknown);
            json.WriteString("copyrightText", Unknown);
            json.WriteString("comment", $"layerID: {file.Layer}");
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private void WriteChecksum(string algorithm, string hex)
    {
        json.WriteStartObject();
        json.WriteString("algorithm", algorithm);
        json.WriteString("checksumValue", hex);
        json.WriteEndObject();
    }

    private void WriteLicenseTexts()
    {
        var texts = bom.Components.Select(component => component.License.Text).OfType<string>().Distinct(StringComparer.Ordinal).ToList();
        if (texts.Count == 0)
            return;
        json.WriteStartArray("hasExtractedLicensingInfos");
        foreach (var (id, text) in texts.Select(text => (Id: ReferenceTo(text)!, text)).OrderBy(one => one.Id, StringComparer.Ordinal))
        {
            json.WriteStartObject();
            json.WriteString("licenseId", id);
            json.WriteString("extractedText", text);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private void WriteRelationships()
    {
        json.WriteStartArray("relationships");
        Relate(Document, "DESCRIBES", IdOf(bom.Image));
        foreach (var (from, kind, to) in bom.Relations)
            Relate(IdOf(from), TypeOf(kind), IdOf(to));
        for (var index = 0; index < bom.Files.Count; index++)
            Relate(IdOf(bom.Files[index].Owner), "CONTAINS", FileId(index));
        json.WriteEndArray();
    }

    private void Relate(string from, string type, string to)
    {
        json.WriteStartObject();
        json.WriteString("spdxElementId", from);
        json.WriteString("relationshipType", type);
        json.WriteString("relatedSpdxElement", to);
        json.WriteEndObject();
    }

    private void WriteOptional(string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
            json.WriteString(name, value);
    }

    private static string TypeOf(RelationKind kind) =>
        kind switch
        {
            RelationKind.Contains => "CONTAINS",
            RelationKind.DependsOn => "DEPENDS_ON",
            _ => "DESCENDANT_OF",
        };

    private static string? PurposeOf(ComponentKind kind) =>
        kind switch
        {
            ComponentKind.Image or ComponentKind.BaseImage or ComponentKind.OtherImage => "CONTAINER",
            ComponentKind.OperatingSystem => "OPERATING_SYSTEM",
            ComponentKind.Application => "APPLICATION",
            ComponentKind.Runtime => "FRAMEWORK",
            ComponentKind.SystemPackage => null,
            _ => "LIBRARY",
        };

    private static string? ReferenceTo(string? licenseText) => licenseText is null ? null : $"LicenseRef-{HashOf(licenseText)}";

    // Files are in the order of their paths: the same number for the same image.
    private static string FileId(int index) => string.Create(CultureInfo.InvariantCulture, $"SPDXRef-File-{index}");

    private string IdOf(Component component) => ids[component.Key];

    // Scanners know the operating system by how its identifier begins. What an identifier can't have is told apart by a hash.
    private static string CreateId(Component component)
    {
        var text = component.Kind == ComponentKind.OperatingSystem ? component.Name : $"{component.Name}-{component.Version}";
        var allowed = string.Concat(text.Select(character => char.IsAsciiLetterOrDigit(character) || character == '.' ? character : '-'));
        var hash = allowed == text ? "" : "-" + HashOf(component.Key)[..8];
        return $"SPDXRef-{component.Kind}-{allowed.TrimEnd('-')}{hash}";
    }

    private static string HashOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];
}
