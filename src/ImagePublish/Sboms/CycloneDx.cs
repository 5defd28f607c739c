using System.Text.Json;
using ImagePublish.Common;

namespace ImagePublish.Sboms;

/// <summary>Writes CycloneDX 1.6 as JSON.</summary>
/// <remarks><see href="https://cyclonedx.org/docs/1.6/json/">CycloneDX 1.6</see>.</remarks>
internal sealed class CycloneDx
{
    private readonly Bom bom;
    private readonly Utf8JsonWriter json;
    private readonly ILookup<string, ComponentFile> filesOf;

    private CycloneDx(Bom bom, Utf8JsonWriter json)
    {
        (this.bom, this.json) = (bom, json);
        filesOf = bom.Files.ToLookup(file => file.Owner.Key, StringComparer.Ordinal);
    }

    public static byte[] Write(Bom bom)
    {
        var memory = new MemoryStream();
        using (var json = new Utf8JsonWriter(memory, SbomDocument.WriterOptions))
            new CycloneDx(bom, json).Write();
        memory.WriteByte((byte)'\n');
        return memory.ToArray();
    }

    private void Write()
    {
        json.WriteStartObject();
        json.WriteString("bomFormat", "CycloneDX");
        json.WriteString("specVersion", "1.6");
        json.WriteString("serialNumber", $"urn:uuid:{SbomDocument.IdentityOf(bom, SbomFormat.CycloneDx)}");
        json.WriteNumber("version", 1);
        WriteMetadata();
        json.WriteStartArray("components");
        foreach (var component in bom.Components)
            Write(component);
        json.WriteEndArray();
        WriteDependencies();
        json.WriteEndObject();
    }

    private void WriteMetadata()
    {
        json.WriteStartObject("metadata");
        json.WriteString("timestamp", Text.Rfc3339(bom.Created));
        json.WriteStartObject("tools");
        json.WriteStartArray("components");
        json.WriteStartObject();
        json.WriteString("type", "application");
        json.WriteString("name", SbomDocument.Tool);
        json.WriteString("version", SbomDocument.ToolVersion);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
        json.WritePropertyName("component");
        Write(bom.Image);
        json.WriteEndObject();
    }

    private void Write(Component component)
    {
        json.WriteStartObject();
        json.WriteString("type", TypeOf(component.Kind));
        json.WriteString("bom-ref", RefOf(component));
        if (component.Supplier is { } supplier)
        {
            json.WriteStartObject("supplier");
            json.WriteString("name", supplier);
            json.WriteEndObject();
        }

        json.WriteString("name", component.Name);
        WriteOptional("version", component.Version);
        if (component.Hash is var (algorithm, hex))
            WriteHashes((algorithm.Replace("SHA", "SHA-", StringComparison.Ordinal), hex));
        WriteLicense(component.License);
        WriteOptional("copyright", component.Copyright);
        WriteOptional("purl", component.Purl);
        WriteHomepage(component.Homepage);
        WriteFiles(filesOf[component.Key]);
        json.WriteEndObject();
    }

    private void WriteLicense(License license)
    {
        if (license == License.Unknown)
            return;
        json.WriteStartArray("licenses");
        json.WriteStartObject();
        if (license.Expression is { } expression)
            json.WriteString("expression", expression);
        else
            WriteText(license.Text!);
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private void WriteText(string text)
    {
        json.WriteStartObject("license");
        json.WriteString("name", "LICENSE");
        json.WriteStartObject("text");
        json.WriteString("contentType", "text/plain");
        json.WriteString("content", text);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void WriteHomepage(string? url)
    {
        if (url is null || !Uri.IsWellFormedUriString(url, UriKind.Absolute))
            return;
        json.WriteStartArray("externalReferences");
        json.WriteStartObject();
        json.WriteString("url", url);
        json.WriteString("type", "website");
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private void WriteFiles(IEnumerable<ComponentFile> files)
    {
        var all = files.ToList();
        if (all.Count == 0)
            return;
        json.WriteStartArray("components");
        foreach (var file in all)
        {
            json.WriteStartObject();
            json.WriteString("type", "file");
            json.WriteString("bom-ref", "file:/" + file.Path);
            json.WriteString("name", "/" + file.Path);
            WriteHashes(("SHA-1", Convert.ToHexStringLower(file.Hashes.Sha1)), ("SHA-256", Convert.ToHexStringLower(file.Hashes.Sha256)));
            json.WriteStartArray("properties");
            json.WriteStartObject();
            json.WriteString("name", "imagepublish:layerID");
            json.WriteString("value", file.Layer.Value);
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private void WriteHashes(params (string Algorithm, string Hex)[] hashes)
    {
        json.WriteStartArray("hashes");
        foreach (var (algorithm, hex) in hashes)
        {
            json.WriteStartObject();
            json.WriteString("alg", algorithm);
            json.WriteString("content", hex);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    // Containing is needing, too: what is in an image is reached from it.
    private void WriteDependencies()
    {
        var needs = bom.Relations.ToLookup(relation => relation.From.Key, relation => relation.To, StringComparer.Ordinal);
        json.WriteStartArray("dependencies");
        foreach (var component in bom.Components.Prepend(bom.Image))
        {
            json.WriteStartObject();
            json.WriteString("ref", RefOf(component));
            json.WriteStartArray("dependsOn");
            foreach (var need in needs[component.Key].Select(RefOf).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
                json.WriteStringValue(need);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private void WriteOptional(string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
            json.WriteString(name, value);
    }

    // An image that is both the base and the source of files is two components.
    private static string RefOf(Component component) =>
        component.Kind == ComponentKind.OtherImage ? component.Key : component.Purl ?? component.Key;

    private static string TypeOf(ComponentKind kind) =>
        kind switch
        {
            ComponentKind.Image or ComponentKind.BaseImage or ComponentKind.OtherImage => "container",
            ComponentKind.OperatingSystem => "operating-system",
            ComponentKind.Application => "application",
            ComponentKind.Runtime => "framework",
            _ => "library",
        };
}
