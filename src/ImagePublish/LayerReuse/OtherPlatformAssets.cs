using System.Text.Json;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Layers;
using ImagePublish.Oci;

namespace ImagePublish.LayerReuse;

/// <summary>
/// Files that <c>*.deps.json</c> lists for a runtime identifier that the image's platform does not include. The host chooses the assets of
/// its own runtime identifiers before it looks for files, so that it never asks for these.
/// </summary>
/// <remarks>
/// Only <c>runtimeTargets</c> count: what an app has in a folder <c>runtimes</c> of its own, or lists for every platform, stays. See
/// <see href="https://github.com/dotnet/runtime/blob/v10.0.0/src/native/corehost/hostpolicy/deps_format.cpp">deps_format.cpp</see>.
/// </remarks>
internal static class OtherPlatformAssets
{
    private const int MaxSize = 64 << 20;

    private static readonly string[] Kinds = ["runtime", "native", "resources"];

    private static readonly JsonDocumentOptions Options = new()
    {
        MaxDepth = 32,
        AllowTrailingCommas = true,
        CommentHandling = JsonCommentHandling.Skip,
    };

    /// <returns>Their paths in the publish folder.</returns>
    public static IReadOnlySet<string> Find(IReadOnlyList<LayerEntry> published, Platform platform)
    {
        if (!published.Any(entry => entry.PublishPath?.StartsWith("runtimes/", StringComparison.Ordinal) == true))
            return new HashSet<string>();
        var (foreign, needed) = (new HashSet<string>(StringComparer.Ordinal), new HashSet<string>(StringComparer.Ordinal));
        foreach (var list in published.Where(IsDependencyList))
        {
            // A list that can't be read keeps everything, since it may name what another one does.
            if (!TryRead((FileOnDisk)list.Content!, library => Add(library, platform, foreign, needed)))
                return new HashSet<string>();
        }

        foreign.ExceptWith(needed);
        return foreign;
    }

    private static bool IsDependencyList(LayerEntry entry) =>
        entry is { PublishPath: { } path, Content: FileOnDisk }
        && !path.Contains('/', StringComparison.Ordinal)
        && path.EndsWith(".deps.json", StringComparison.OrdinalIgnoreCase);

    private static bool TryRead(FileOnDisk file, Action<JsonElement> add)
    {
        if (file.Length > MaxSize)
            return false;
        try
        {
            using var stream = file.Open();
            using var document = JsonDocument.Parse(stream, Options);
            foreach (var target in Members(document.RootElement, "targets"))
            {
                foreach (var library in target.Value.EnumerateObject())
                    add(library.Value);
            }

            return true;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or IOException or ImagePublishException)
        {
            return false;
        }
    }

    private static void Add(JsonElement library, Platform platform, HashSet<string> foreign, HashSet<string> needed)
    {
        foreach (var asset in Members(library, "runtimeTargets"))
        {
            var isForeign =
                asset.Value.TryGetProperty("rid", out var rid)
                && rid.GetString() is { Length: > 0 } identifier
                && RuntimeIdentifier.IsForeign(identifier, platform);
            (isForeign ? foreign : needed).Add(asset.Name.Replace('\\', '/'));
        }

        foreach (var kind in Kinds)
        {
            foreach (var asset in Members(library, kind))
                needed.Add(asset.Name.Replace('\\', '/'));
        }
    }

    private static JsonElement.ObjectEnumerator Members(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var members) ? members.EnumerateObject() : default;
}
