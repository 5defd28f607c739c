using ImagePublish.Deployments;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks.Commands;

/// <summary>Writes the digest of what was just published into the files that deploy it; before the publish, sees whether that will
/// succeed.</summary>
public sealed class UpdateImageManifests : CommandTask
{
    // Of the right length, for what is only looked at.
    private static readonly Digest Unknown = Digest.Parse("sha256:" + new string('0', 64));

    /// <summary>The files, and perhaps another name of the image in them (Repository).</summary>
    [Required]
    public ITaskItem[] Manifests { get; set; } = [];

    /// <summary>The published or planned images; none before the publish.</summary>
    public ITaskItem[] Images { get; set; } = [];

    /// <summary>For a variant, the image itself: the files' names of that one are not the variant's.</summary>
    public ITaskItem[] VariantOf { get; set; } = [];

    /// <summary>The folder for the results; empty to write in place.</summary>
    public string? Folder { get; set; }

    /// <summary>The project's name, for messages.</summary>
    public string ProjectName { get; set; } = "";

    /// <summary>Whether to only report what would be written.</summary>
    public bool DryRun { get; set; }

    internal override string LogName => ProjectName;

    private protected override async Task RunAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        if (VariantOf.Length > 0)
        {
            if (Images[0].GetMetadata("Repository") == VariantOf[0].GetMetadata("Repository"))
                return;
            Manifests = [.. Manifests.Where(item => InputParser.Optional(item.GetMetadata("Repository")) is null)];
        }

        var folder = InputParser.Optional(Folder) is { } path ? FullPath(path) : null;
        var updater = new DeploymentUpdater(ReadFiles(folder), folder, log);
        if (Images.Length == 0)
        {
            await ClaimAsync(folder, cancellationToken);
            updater.Check(new DeployedImage(new ImageNames(this).Destinations, [Tag.Parse("latest")], Unknown));
            return;
        }

        var image = new DeployedImage(PublishedRepositories(), ReadTags(), Digest.Parse(Images[0].GetMetadata("Digest")));
        if (image.Repositories.Count == 0 && Manifests.All(item => InputParser.Optional(item.GetMetadata("Repository")) is null))
            return;
        var updates = DryRun ? updater.Find(image) : await updater.UpdateAsync(image, cancellationToken);
        foreach (var update in updates)
            Report(update, image, log);
    }

    private void Report(DeploymentUpdate update, DeployedImage image, IPublishLog log)
    {
        var places = update.Places == 1 ? "" : $" ({update.Places} places)";
        var verb = DryRun ? "would name" : "names";
        log.Information($"  {update.File.Shown} {(update.IsChanged ? verb : "still names")} {Described(update, image)}{places}");
        Items =
        [
            .. Items,
            CommandItem.Create(
                update.File.Target,
                ("Image", Described(update, image)),
                ("Places", update.Places),
                ("Changed", update.IsChanged && !DryRun)
            ),
        ];
    }

    private static string Described(DeploymentUpdate update, DeployedImage image) =>
        $"{update.File.Alias ?? image.Repositories[0]}@{image.Digest}";

    private List<Repository> PublishedRepositories() =>
        [
            .. Images
                .Where(image => image.GetMetadata("Registry").Length > 0)
                .Select(image => Reference.Parse(image.ItemSpec).Repository)
                .Distinct(),
        ];

    private List<Tag> ReadTags() => [.. InputParser.Words(Images[0].GetMetadata("Tags")).Select(Tag.Parse)];

    // Files of the folder itself are results of an earlier publish.
    private List<DeploymentFile> ReadFiles(string? folder)
    {
        var files = new Dictionary<string, DeploymentFile>(StringComparer.Ordinal);
        foreach (var item in Manifests)
        {
            var source = FullPath(item.ItemSpec);
            if (
                folder is not null
                && source.StartsWith(Path.TrimEndingDirectorySeparator(folder) + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            )
                continue;
            var target = folder is null
                ? Followed(source)
                : Path.GetFullPath(Path.Combine(folder, item.GetMetadata("RecursiveDir"), Path.GetFileName(source)));
            var file = new DeploymentFile(source, item.ItemSpec, target) { Alias = ReadAlias(item) };
            if (!files.TryAdd(target, file) && folder is not null && files[target].Source != source)
                throw InputParser.Invalid(
                    ItemLocations.Locate(item, "ImageManifest"),
                    $"'{files[target].Shown}' has the same name in ImageManifestFolder"
                );
        }

        return [.. files.Values];
    }

    // A link stays: what it leads to is written.
    private static string Followed(string path)
    {
        try
        {
            return File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        }
        catch (IOException)
        {
            // It is reported when it is read.
            return path;
        }
    }

    private static Repository? ReadAlias(ITaskItem item)
    {
        if (InputParser.Optional(item.GetMetadata("Repository")) is not { } text)
            return null;
        var location = ItemLocations.Locate(item, "ImageManifest");
        return
            Reference.TryParse(text, out var reference, out var reason)
            && text.LastIndexOf(':') <= text.LastIndexOf('/')
            && !text.Contains('@')
            ? reference.Repository
            : throw InputParser.Invalid(
                location,
                "its Repository is not a name without tag and digest, such as mirror.example.com/acme/shop"
                    + (reason is null ? "" : $": {reason}")
            );
    }

    // Names of registries are claimed by the publish itself.
    private async Task ClaimAsync(string? folder, CancellationToken cancellationToken)
    {
        foreach (var alias in Manifests.Select(ReadAlias).OfType<Repository>().Distinct())
        {
            var name = $"manifests {folder} {alias}";
            if (await BuildClaims.Find(BuildEngine4).ClaimAsync(name, FullPath(ProjectName), cancellationToken) is not { } other)
                continue;
            throw new ImagePublishException(
                DiagnosticCodes.DeploymentTwice,
                $"{Path.GetFileName(other)} and {ProjectName} would both write their digest where files of ImageManifest name '{alias}'. "
                    + $"Nothing of {ProjectName} was published. Give each project's ImageManifest a Repository of its own."
            );
        }
    }
}
