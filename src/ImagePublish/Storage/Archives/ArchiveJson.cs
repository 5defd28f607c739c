using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ImagePublish.Storage.Archives;

/// <summary>An image in the <c>manifest.json</c> of an archive that <c>docker save</c> writes.</summary>
/// <remarks>
/// <see href="https://github.com/moby/docker-image-spec/blob/main/v1.2.md#combined-image-json--filesystem-changeset-format">Docker image
/// specification 1.2</see>.
/// </remarks>
internal sealed record DockerArchiveEntry(string Config, IReadOnlyList<string?>? RepoTags, IReadOnlyList<string?>? Layers);

/// <summary>How an archive's own documents are read and written.</summary>
[JsonSerializable(typeof(DockerArchiveEntry[]))]
internal sealed partial class ArchiveJsonContext : JsonSerializerContext
{
    /// <summary>The one instance: strict when reading, plain when writing.</summary>
    public static ArchiveJsonContext Strict { get; } =
        new(
            new JsonSerializerOptions
            {
                Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
                AllowDuplicateProperties = false,
                MaxDepth = 16,
                RespectNullableAnnotations = true,
                RespectRequiredConstructorParameters = true,
            }
        );
}
