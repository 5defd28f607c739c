using System.Text.Json;
using ImagePublish.Oci;

namespace ImagePublish.Attachments;

/// <summary>What provenance is made of, besides the image.</summary>
/// <param name="HasChanges">Whether files differed from the commit; null where that is not known.</param>
internal sealed record ProvenanceInputs(BuildFacts Facts, IReadOnlyList<Material> Materials, bool? HasChanges)
{
    /// <summary>Whether what differs each time that the same is built is left out.</summary>
    public bool IsReproducible { get; init; }
}

/// <summary>Writes provenance: who built an image, how, and of what.</summary>
/// <remarks>
/// <see href="https://slsa.dev/spec/v1.0/provenance">SLSA, Provenance v1</see>. It claims what the build knows and no more: a machine that
/// is no CI system is a local build, a tree with changes is marked as such, and what is unknown is left out.
/// </remarks>
internal static class ProvenanceComposer
{
    /// <summary>What the parameters mean: documented in docs/supply-chain.md.</summary>
    public const string BuildType = "pkg:nuget/ImagePublish.Tasks#publish-v1";

    public const string LocalBuilder = "pkg:nuget/ImagePublish.Tasks#local";

    public static Statement Compose(Digest image, IReadOnlyList<string> subjects, ProvenanceInputs inputs) =>
        Statement.Create(AttachmentTypes.Provenance, image, subjects, json => Write(json, inputs));

    private static void Write(Utf8JsonWriter json, ProvenanceInputs inputs)
    {
        json.WriteStartObject();
        json.WriteStartObject("buildDefinition");
        json.WriteString("buildType", BuildType);
        WriteExternal(json, inputs);
        WriteInternal(json, inputs.Facts.Tool);
        json.WriteStartArray("resolvedDependencies");
        if (inputs.Facts.Source is { Url: not null } source)
            Write(json, MaterialOf(source));
        foreach (var material in inputs.Materials)
            Write(json, material);
        json.WriteEndArray();
        json.WriteEndObject();
        WriteRun(json, inputs);
        json.WriteEndObject();
    }

    // A closed list: verifiers reject what they do not know.
    private static void WriteExternal(Utf8JsonWriter json, ProvenanceInputs inputs)
    {
        json.WriteStartObject("externalParameters");
        json.WriteString("project", inputs.Facts.Project);
        json.WriteStartObject("properties");
        foreach (var (name, value) in inputs.Facts.Parameters)
            json.WriteString(name, value);
        json.WriteEndObject();
        if (inputs.Facts.Source is { } source)
        {
            json.WritePropertyName("source");
            Write(json, MaterialOf(source) with { Annotations = ChangesOf(inputs.HasChanges) });
        }

        json.WriteEndObject();
    }

    private static void WriteInternal(Utf8JsonWriter json, BuildTool tool)
    {
        json.WriteStartObject("internalParameters");
        Write(json, "sdk", tool.Sdk);
        Write(json, "msbuild", tool.MSBuild);
        json.WriteEndObject();
    }

    private static void WriteRun(Utf8JsonWriter json, ProvenanceInputs inputs)
    {
        json.WriteStartObject("runDetails");
        json.WriteStartObject("builder");
        json.WriteString("id", inputs.Facts.BuilderId ?? LocalBuilder);
        json.WriteStartObject("version");
        json.WriteString("ImagePublish.Tasks", inputs.Facts.Tool.Version);
        json.WriteEndObject();
        json.WriteEndObject();
        var run = inputs.Facts.Run;
        if (!inputs.IsReproducible && (run.Invocation ?? run.StartedOn) is not null)
        {
            json.WriteStartObject("metadata");
            Write(json, "invocationId", run.Invocation);
            Write(json, "startedOn", run.StartedOn);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static Material MaterialOf(SourceCommit source) =>
        new()
        {
            Uri = source.Url is null ? null : $"git+{source.Url}{(source.Ref is null ? "" : "@" + source.Ref)}",
            Digest = (source.Commit.Length == 64 ? "gitCommitSha256" : "gitCommit", source.Commit),
        };

    private static KeyValuePair<string, string>[] ChangesOf(bool? hasChanges) =>
        hasChanges is { } known ? [KeyValuePair.Create("hasUncommittedChanges", known ? "true" : "false")] : [];

    private static void Write(Utf8JsonWriter json, Material material)
    {
        json.WriteStartObject();
        Write(json, "uri", material.Uri);
        Write(json, "name", material.Name);
        if (material.Digest is var (algorithm, hex))
        {
            json.WriteStartObject("digest");
            json.WriteString(algorithm, hex);
            json.WriteEndObject();
        }

        if (material.Annotations.Count > 0)
        {
            json.WriteStartObject("annotations");
            foreach (var (name, value) in material.Annotations)
                json.WriteString(name, value);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
            json.WriteString(name, value);
    }
}
