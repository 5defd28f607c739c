using ImagePublish.Diagnostics;

namespace ImagePublish.Deployments;

/// <summary>Finds where a YAML file names an image, and writes the image's digest there.</summary>
/// <remarks>
/// <list type="bullet">
/// <item>a text under <c>image</c> (or <c>webImage</c>, <c>imageName</c>): Kubernetes, its custom resources, compose, values of
/// Helm;</item>
/// <item>a mapping with <c>repository</c>, perhaps <c>registry</c>, <c>tag</c> and <c>digest</c>: values of Helm;</item>
/// <item>a mapping with <c>reference</c> under <c>image</c>: image volumes of Kubernetes;</item>
/// <item>entries of <c>images</c>: kustomize, Flux (mappings) and Argo CD (texts).</item>
/// </list>
/// </remarks>
internal sealed class ImagePlaces(DeployedImage image, string text)
{
    private const string DigestKey = "digest";

    private readonly DeploymentText changes = new(text);
    private readonly HashSet<int> found = [];
    private readonly Dictionary<int, int> aliases = [];
    private readonly Dictionary<int, int> aliasesOfPlaces = [];
    private string? globalRegistry;

    /// <summary>Writes the digest at every place that names the image.</summary>
    /// <returns>The new text, and how many places name the image.</returns>
    /// <exception cref="ImagePublishException"><c>IMG3120</c>: it is not YAML; <c>IMG3124</c>: a place can't be changed.</exception>
    public static (string Text, int Places) Update(string text, DeployedImage image)
    {
        var places = new ImagePlaces(image, text);
        var updated = places.Update();
        // Read back: a mistake here would be deployed.
        if (updated != text && new ImagePlaces(image, updated) is var again && (again.Update() != updated || again.found.Count == 0))
            throw places.changes.Unchangeable(0, "is written in a form that would not be read back");
        return (updated, places.found.Count);
    }

    private string Update()
    {
        foreach (var document in YamlTree.Read(text))
        {
            globalRegistry = (document as YamlMap)?.Find("global") is YamlMap global
                ? TextOf(global.Find("imageRegistry")) ?? TextOf((global.Find("image") as YamlMap)?.Find("registry"))
                : null;
            Visit(document, key: "");
        }

        foreach (var (start, count) in aliasesOfPlaces)
        {
            if (aliases[start] != count)
                throw changes.Unchangeable(start, "has an anchor, which is used for something else than images, too");
        }

        return changes.IsChanged ? changes.ToString() : text;
    }

    private void Visit(YamlNode node, string key)
    {
        switch (node)
        {
            case YamlAlias alias:
                aliases[alias.Target.Start] = aliases.GetValueOrDefault(alias.Target.Start) + 1;
                break;
            case YamlList list:
                foreach (var item in list.Items)
                {
                    VisitEntry(item, key);
                    Visit(item, "");
                }

                break;
            case YamlMap map:
                VisitMap(map, key);
                break;
        }
    }

    private void VisitMap(YamlMap map, string key)
    {
        if (IsImageKey(key) || map.Find("tag") is not null || map.Find(DigestKey) is not null)
            VisitParts(map);
        foreach (var (name, value) in map.Entries)
        {
            var named = TextOf(name) ?? "";
            if (IsImageKey(named))
                VisitImage(value);
            Visit(value, named);
        }
    }

    private void VisitImage(YamlNode value)
    {
        var target = value is YamlAlias alias ? alias.Target : value;
        if (target is YamlMap { } map && map.Find("reference") is YamlText reference && image.IsNamedBy(reference.Value))
            Rename(reference, reference.Value);
        else if (target is YamlText scalar && image.IsNamedBy(scalar.Value.TrimEnd('\n')))
            Rename(scalar, scalar.Value.TrimEnd('\n'));
        else
            return;
        if (value is YamlAlias)
            aliasesOfPlaces[target.Start] = aliasesOfPlaces.GetValueOrDefault(target.Start) + 1;
    }

    private void Rename(YamlText scalar, string name)
    {
        found.Add(scalar.Start);
        Replace(scalar, image.Rename(name));
    }

    // Aliases of a text that is changed must all be places of the image, too.
    private void Replace(YamlText scalar, string value)
    {
        changes.Replace(scalar, value);
        if (!scalar.IsAnchored)
            return;
        aliases.TryAdd(scalar.Start, 0);
        aliasesOfPlaces.TryAdd(scalar.Start, 0);
    }

    private void VisitParts(YamlMap map)
    {
        if (map.Find("repository") is not YamlText repository || !IsNamedByParts(repository.Value, TextOf(map.Find("registry"))))
            return;
        found.Add(repository.Start);
        var tag = PartOf(map, "tag");
        if (PartOf(map, DigestKey) is { } digest)
        {
            Replace(digest, image.Digest.Value);
            if (tag is { Value.Length: > 0 })
                ReplaceTag(tag);
            return;
        }

        // A chart that knows no digest puts the tag behind a colon, and what follows it too.
        var pinned = image.TagFor(tag?.Value.Split('@')[0]) is { } kept
            ? $"{kept}@{image.Digest}"
            : throw changes.Unchangeable(
                repository.Start,
                "has no tag that its digest could follow: publish it with one, or add 'digest:'"
            );
        if (tag is not null)
            Replace(tag, pinned);
        else
            changes.Add(map, KeyOf(map, repository), $"tag: {pinned}");
    }

    private bool IsNamedByParts(string repository, string? registry)
    {
        var host = string.IsNullOrEmpty(registry) ? globalRegistry : registry;
        return image.IsNamedBy(string.IsNullOrEmpty(host) ? repository : $"{host.TrimEnd('/')}/{repository}")
            || (!string.IsNullOrEmpty(globalRegistry) && image.IsNamedBy($"{globalRegistry.TrimEnd('/')}/{repository}"));
    }

    // kustomize and Flux: what 'newName' says is deployed, else what 'name' says. Argo CD: 'name=image'.
    private void VisitEntry(YamlNode item, string key)
    {
        if (key != "images")
            return;
        if (item is YamlText { Value: var value } scalar && value[(value.IndexOf('=') + 1)..] is var named && image.IsNamedBy(named))
        {
            found.Add(scalar.Start);
            Replace(scalar, value[..^named.Length] + image.Rename(named));
        }
        else if (item is YamlMap map && (map.Find("newName") ?? map.Find("name")) is YamlText name && image.IsNamedBy(name.Value))
        {
            found.Add(name.Start);
            var tag = PartOf(map, "newTag");
            if (tag is { Value.Length: > 0 })
                ReplaceTag(tag);
            if (PartOf(map, DigestKey) is { } digest)
                Replace(digest, image.Digest.Value);
            else
                changes.Add(map, KeyOf(map, tag ?? name), $"{DigestKey}: {image.Digest}");
        }
    }

    private void ReplaceTag(YamlText tag)
    {
        if (image.TagFor(tag.Value) is { } kept && kept.Value != tag.Value)
            Replace(tag, kept.Value);
    }

    private YamlText? PartOf(YamlMap map, string key) =>
        map.Find(key) switch
        {
            null => null,
            YamlText part => part,
            var other => throw changes.Unchangeable(other.Start, $"has no text as its '{key}', but an alias or a mapping"),
        };

    private static YamlText KeyOf(YamlMap map, YamlText value) =>
        (YamlText)map.Entries.First(entry => ReferenceEquals(entry.Value, value)).Key;

    private static bool IsImageKey(string key) => key is "image" or "imageName" || key.EndsWith("Image", StringComparison.Ordinal);

    private static string? TextOf(YamlNode? node) => node is YamlText text ? text.Value : null;
}
