using ImagePublish.Common;
using ImagePublish.Images;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Packages.Layout;

namespace ImagePublish.Sboms;

/// <summary>Finds out what each file of an image belongs to, and how the parts of the image depend on each other.</summary>
internal sealed class BomComposer
{
    private readonly SbomSources sources;
    private readonly ImageFiles files;
    private readonly SystemPackages system;
    private readonly PackageGraph graph;
    private readonly NuGetPackages packages;
    private readonly Component image;
    private readonly Component app;
    private readonly Component? baseImage;
    private readonly Dictionary<string, Component> known = new(StringComparer.Ordinal);
    private readonly Dictionary<string, LayerEntry> entries;
    private readonly Dictionary<string, SourceFile> published;
    private readonly List<Relation> relations = [];

    private BomComposer(SbomSources sources)
    {
        this.sources = sources;
        files = ImageFiles.Create(sources.Layers);
        system = new SystemPackages(files.System);
        (graph, packages) = sources.Facts;
        image = new Component(ComponentKind.Image, sources.Name, sources.Image.Digest.Value)
        {
            Purl = PackageUrl.Image(sources.Name, sources.Image.Digest.Value, ("arch", sources.Image.Platform.Architecture)),
            Hash = HashOf(sources.Image.Digest),
        };
        app = DescribeApp(sources.Request.App);
        baseImage = sources.Base.Digest is null ? null : DescribeImage(ComponentKind.BaseImage, sources.Base);
        entries = sources
            .Contents.SelectMany(content => content.Entries)
            .DistinctBy(entry => entry.Path)
            .ToDictionary(entry => entry.Path, StringComparer.Ordinal);
        published = sources
            .Request.Sources.Where(file => !file.IsMerged)
            .DistinctBy(file => file.Path)
            .ToDictionary(file => file.Path, StringComparer.Ordinal);
    }

    public static Bom Compose(SbomSources sources) => new BomComposer(sources).Compose();

    private Bom Compose()
    {
        Add(app);
        if (baseImage is not null)
            Add(baseImage);
        if (system.OperatingSystem is { } os)
            Add(os);
        foreach (var package in system.All)
            Add(package);
        var owned = files
            .Files.Select(file => new ComponentFile(file.Path, file.Hashes, sources.Image.Layers[file.Layer].DiffId, Add(OwnerOf(file))))
            .ToList();
        foreach (var merged in sources.Request.Sources.Where(source => source.IsMerged))
            Add(ComponentOf(merged));
        Relate();
        return new Bom
        {
            Name = sources.Name,
            Digest = sources.Image.Digest,
            Created = sources.Created,
            Image = image,
            Components = [.. known.Values.OrderBy(one => one.Kind).ThenBy(one => one.Key, StringComparer.Ordinal)],
            Files = owned,
            Relations = Ordered(relations),
        };
    }

    private Component Add(Component component)
    {
        if (known.TryGetValue(component.Key, out var same))
            return same;
        known.Add(component.Key, component);
        return component;
    }

    private Component OwnerOf(ImageFile file)
    {
        if (file.Package is { } name && system.Find(name) is { } package)
            return package;
        if (file.Layer >= sources.Base.Layers.Count)
            return OwnerInApp(file);
        if (system.OwnerOf(file.Path) is { } owner)
            return owner;
        if (file.Layer >= sources.BaseLayers)
            return OtherImageOf(sources.Image.Layers[file.Layer].DiffId) ?? image;
        return DotNetRuntimes.OwnerOf(file.Path, sources.Image.Platform, files.System) ?? baseImage ?? image;
    }

    private Component OwnerInApp(ImageFile file)
    {
        // What packages' scripts would have made belongs to the system as a whole.
        var content = sources.Contents[file.Layer - sources.Base.Layers.Count];
        if (content.Name == PackageLayout.LayerName || !entries.TryGetValue(file.Path, out var entry))
            return system.OwnerOf(file.Path) ?? system.OperatingSystem ?? app;
        if (entry.Content is FileInLayer taken && OtherImageOf(taken.Layer) is { } other)
            return other;
        if (entry.PublishPath is { } path)
            return published.TryGetValue(path, out var source) ? ComponentOf(source) : app;
        return entry.Content is FileOnDisk { Path: var added } && PackageOf(added) is { } package ? ComponentOf(package) : app;
    }

    private Component ComponentOf(SourceFile source) =>
        source.Package is { } package ? ComponentOf(package)
        : source.Project is { } project ? ProjectOf(project)
        : app;

    private Component ComponentOf(NuGetPackage package)
    {
        var kind = package.IsRuntime ? ComponentKind.Runtime : ComponentKind.Package;
        var key = new Component(kind, package.Id, PackageUrl.WithoutBuild(package.Version)).Key;
        return known.TryGetValue(key, out var same) ? same : packages.Describe(package);
    }

    private Component ProjectOf(string name) =>
        new(ComponentKind.Project, name, graph.Nodes.GetValueOrDefault(name) is { IsProject: true } node ? node.Version : null);

    // A file that the project adds straight from a folder of packages.
    private NuGetPackage? PackageOf(string file)
    {
        foreach (var folder in sources.Request.PackageFolders)
        {
            var root = Path.TrimEndingDirectorySeparator(folder) + Path.DirectorySeparatorChar;
            if (!file.StartsWith(root, StringComparison.Ordinal))
                continue;
            if (file[root.Length..].Split(Path.DirectorySeparatorChar) is [var id, var version, _, ..])
                return new NuGetPackage(graph.Nodes.GetValueOrDefault(id)?.Name ?? id, version);
        }

        return null;
    }

    private Component? OtherImageOf(Digest layer) =>
        sources.Others.FirstOrDefault(other => other.Layers.Any(one => one.DiffId == layer)) is { } found
            ? DescribeImage(ComponentKind.OtherImage, found)
            : null;

    private static Component DescribeApp(AppFacts facts) =>
        new(ComponentKind.Application, facts.Name, facts.Version)
        {
            License = LicenseExpression.TryNormalize(facts.Licenses) is { } license ? new License(license, null) : License.Unknown,
            Supplier = facts.Supplier,
        };

    private static Component DescribeImage(ComponentKind kind, BaseImage found)
    {
        if (!Reference.TryParse(found.Name, out var reference, out _))
            return new Component(kind, found.Name, found.Digest?.Value) { Hash = HashOf(found.Digest) };
        var repository = reference.Repository.ToString();
        return new Component(kind, repository, found.Digest?.Value)
        {
            Purl = PackageUrl.Image(repository, found.Digest?.Value, ("repository_url", repository), ("tag", reference.Tag?.Value)),
            Hash = HashOf(found.Digest),
        };
    }

    private static (string Algorithm, string Hex)? HashOf(Digest? digest) =>
        digest is { Algorithm: "sha256" } ? ("SHA256", digest.Hex) : null;

    private void Relate()
    {
        foreach (var component in known.Values)
        {
            switch (component.Kind)
            {
                case ComponentKind.BaseImage:
                    relations.Add(new Relation(image, RelationKind.DescendantOf, component));
                    break;
                case ComponentKind.SystemPackage:
                    relations.Add(new Relation(system.OperatingSystem!, RelationKind.Contains, component));
                    AddNeeds(component, system.NeedsOf(component.Name));
                    break;
                case ComponentKind.Package or ComponentKind.Project or ComponentKind.Runtime when IsOfApp(component):
                    relations.Add(new Relation(app, RelationKind.Contains, component));
                    AddNeeds(component, NeedsOf(component));
                    break;
                default:
                    relations.Add(new Relation(image, RelationKind.Contains, component));
                    break;
            }
        }

        AddNeeds(app, graph.Roots.Select(Listed).OfType<Component>());
        AddNeeds(app, known.Values.Where(component => component.Kind == ComponentKind.Runtime));
    }

    private bool IsOfApp(Component component) =>
        component.Kind != ComponentKind.Runtime
        || sources.Request.Sources.Any(source => source.Package is { IsRuntime: true } package && package.Id == component.Name);

    private void AddNeeds(Component from, IEnumerable<Component> needs) =>
        relations.AddRange(needs.Where(need => need.Key != from.Key).Select(need => new Relation(from, RelationKind.DependsOn, need)));

    private IEnumerable<Component> NeedsOf(Component component) =>
        (graph.Nodes.GetValueOrDefault(component.Name)?.Needs ?? []).Select(Listed).OfType<Component>();

    private ILookup<string, Component>? byName;

    // Only what is in the image: a package that brings nothing into it is not needed there.
    private Component? Listed(string name)
    {
        byName ??= known
            .Values.Where(component => component.Kind is ComponentKind.Package or ComponentKind.Project)
            .ToLookup(component => component.Name, StringComparer.OrdinalIgnoreCase);
        return byName[name].FirstOrDefault();
    }

    private static IReadOnlyList<Relation> Ordered(IEnumerable<Relation> relations) =>
        [
            .. relations
                .DistinctBy(relation => (relation.From.Key, relation.Kind, relation.To.Key))
                .OrderBy(relation => relation.From.Kind)
                .ThenBy(relation => relation.From.Key, StringComparer.Ordinal)
                .ThenBy(relation => relation.Kind)
                .ThenBy(relation => relation.To.Kind)
                .ThenBy(relation => relation.To.Key, StringComparer.Ordinal),
        ];
}
