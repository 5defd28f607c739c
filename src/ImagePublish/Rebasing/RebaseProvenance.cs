using System.Text.Json;
using ImagePublish.Attachments;
using ImagePublish.Common;
using ImagePublish.Oci;
using ImagePublish.Publishing;

namespace ImagePublish.Rebasing;

/// <summary>Writes the provenance of a rebased image: it is made of the old image, whose own says the rest, and a base.</summary>
/// <remarks><see href="https://slsa.dev/spec/v1.0/provenance">SLSA, Provenance v1</see>.</remarks>
internal static class RebaseProvenance
{
    /// <summary>What the parameters mean: documented in docs/rebase.md.</summary>
    public const string BuildType = "pkg:nuget/ImagePublish.Tasks#rebase-v1";

    public static Statement Compose(RebasedPlatform platform, Reference image, RebaseFacts facts) =>
        Statement.Create(AttachmentTypes.Provenance, platform.After.Digest, [UrlOf(image.Repository, platform.Platform)], json =>
            Write(json, platform, image, facts)
        );

    private static void Write(Utf8JsonWriter json, RebasedPlatform platform, Reference image, RebaseFacts facts)
    {
        json.WriteStartObject();
        json.WriteStartObject("buildDefinition");
        json.WriteString("buildType", BuildType);
        json.WriteStartObject("externalParameters");
        json.WriteString("image", $"{image.Repository}@{platform.Before.Digest}");
        json.WriteString("base", platform.Base.New.Name);
        json.WriteEndObject();
        json.WriteStartArray("resolvedDependencies");
        WriteImage(json, UrlOf(image.Repository, platform.Platform), platform.Before.Digest);
        WriteImage(json, ImageMaterials.PackageUrlOf(Reference.Parse(platform.Base.New.Name)), platform.Base.New.Digest!);
        json.WriteEndArray();
        json.WriteEndObject();
        WriteRun(json, facts);
        json.WriteEndObject();
    }

    private static string UrlOf(Repository repository, Platform platform) =>
        PackageUrl.Image(repository.Name, null, ("arch", platform.Architecture), ("repository_url", repository.ToString()));

    private static void WriteImage(Utf8JsonWriter json, string uri, Digest digest)
    {
        json.WriteStartObject();
        json.WriteString("uri", uri);
        json.WriteStartObject("digest");
        json.WriteString(digest.Algorithm, digest.Hex);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteRun(Utf8JsonWriter json, RebaseFacts facts)
    {
        json.WriteStartObject("runDetails");
        json.WriteStartObject("builder");
        json.WriteString("id", facts.BuilderId ?? ProvenanceComposer.LocalBuilder);
        json.WriteStartObject("version");
        json.WriteString("ImagePublish.Tasks", facts.ToolVersion);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteStartObject("metadata");
        if (facts.Invocation is { } invocation)
            json.WriteString("invocationId", invocation);
        if (facts.StartedOn is { } started)
            json.WriteString("startedOn", started);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
