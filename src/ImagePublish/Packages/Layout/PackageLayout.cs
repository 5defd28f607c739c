using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Packages.Deb;
using ImagePublish.Packages.Model;

namespace ImagePublish.Packages.Layout;

/// <summary>Lays packages out as a layer. No maintainer script is run; what they are needed for is done by rule.</summary>
/// <param name="below">The base image's files; null where the image begins empty, so that the layer brings the root file system,
/// too.</param>
internal sealed class PackageLayout(BaseFileSystem? below)
{
    public const string LayerName = "os packages";

    /// <summary>Where each package is described, in a file of its name.</summary>
    public const string StatusFolder = "var/lib/dpkg/status.d/";

    private readonly Dictionary<string, (LayerEntry Entry, UnpackedPackage? Owner)> known = new(StringComparer.Ordinal);

    /// <exception cref="ImagePublishException"><c>IMG6002</c>: two packages have the same file. <c>IMG6008</c>: a package can't be put into
    /// an image.</exception>
    public async Task<LayerInput> LayOutAsync(IReadOnlyList<UnpackedPackage> packages, CancellationToken cancellationToken)
    {
        var current = "";
        var budget = new ContentBudget(why => PackageErrors.Invalid(current, why));
        foreach (var package in packages)
        {
            current = package.Package.ToString();
            foreach (var entry in await PackageFiles.ReadAsync(package, Map, budget, cancellationToken))
                Add(entry.Kind == LayerEntryKind.File ? entry with { Package = package.Package.Name } : entry, package);
            AddOwn(RootFiles.File(StatusFolder + package.Package.Name, package.Control.Text) with { Package = package.Package.Name });
        }

        foreach (var entry in await CertificateBundle.MakeAsync(known.Values.Select(one => one.Entry), budget, cancellationToken))
            AddOwn(entry);
        if (below is null)
            CompleteRoot(budget);
        else
            LeaveFolders(below);
        return LayerInput.Create(LayerName, known.Values.Select(one => one.Entry));
    }

    private void CompleteRoot(ContentBudget budget)
    {
        foreach (var entry in RootFiles.All())
            AddOwn(entry);
        foreach (var name in known.Keys.Select(PackagePaths.MergedName).OfType<string>().Union(["bin", "lib", "sbin"]).ToList())
            known[name] = (RootFiles.Link(name, "usr/" + name), null);
        if (!known.ContainsKey("etc/os-release") && known.ContainsKey("usr/lib/os-release"))
            AddOwn(RootFiles.Link("etc/os-release", "../usr/lib/os-release"));
        foreach (var path in known.Keys.ToList())
        {
            for (var slash = path.LastIndexOf('/'); slash > 0; slash = path.LastIndexOf('/', slash - 1))
            {
                var folder = path[..slash];
                // What is there already brings its own parents.
                if (!known.TryAdd(folder, (new LayerEntry(folder, LayerEntryKind.Directory), null)))
                    break;
                budget.CountEntry(folder);
            }
        }
    }

    // A base's folders have attributes that are not ours to change.
    private void LeaveFolders(BaseFileSystem files)
    {
        foreach (
            var path in known
                .Where(one => one.Value.Entry.Kind == LayerEntryKind.Directory && files.Find(one.Key) is not null)
                .Select(one => one.Key)
                .ToList()
        )
            known.Remove(path);
    }

    // In a base, links decide where a path leads: its own '/lib' may be one or not.
    private string? Map(string path)
    {
        if (below is null)
            return PackagePaths.Map(path);
        var place = below.Resolve(path, followLast: false);
        return PackagePaths.IsKept(place) ? place : null;
    }

    // A link such as 'bin -> usr/bin' in a package is the one that is made anyway.
    private void Add(LayerEntry entry, UnpackedPackage package)
    {
        if (entry.Kind == LayerEntryKind.SymbolicLink && PackagePaths.MergedName(entry.Path) is not null)
            return;
        if (!known.TryGetValue(entry.Path, out var other) || other.Owner is null)
        {
            known[entry.Path] = (entry, package);
            return;
        }

        if (entry.Kind == LayerEntryKind.Directory || other.Entry.Kind == LayerEntryKind.Directory)
        {
            // A folder stays one, whatever else a later package makes of it; dpkg does the same.
            if (entry.Kind == LayerEntryKind.Directory && other.Entry.Kind != LayerEntryKind.Directory)
                known[entry.Path] = (entry, package);
            return;
        }

        if (Replaces(package, other.Owner))
            known[entry.Path] = (entry, package);
        else if (!Replaces(other.Owner, package))
            throw new ImagePublishException(
                DiagnosticCodes.PackageConflict,
                $"'{package.Package.Name}' and '{other.Owner.Package.Name}' both have '{Text.Sanitize(entry.Path)}'. Leave one of them out."
            );
    }

    private void AddOwn(LayerEntry entry) => known.TryAdd(entry.Path, (entry, null));

    private static bool Replaces(UnpackedPackage package, UnpackedPackage other) => package.Replaces.Contains(other.Package.Name);
}
