using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Packages.Model;
using ImagePublish.Publishing;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>Renews the lock file for one platform: the newest base, the newest packages.</summary>
public sealed class UpdateImageLock : PublishImageInputs
{
    /// <summary>All platforms of the project: what the lock has of others is dropped.</summary>
    public string? RuntimeIdentifiers { get; set; }

    /// <summary>The packages that are locked now (Version, Architecture, Platform, Sha256).</summary>
    [Output]
    public ITaskItem[] Results { get; private set; } = [];

    internal override string Activity => $"Updating the lock file of {ProjectName}";

    internal override string? LeftAlone => null;

    private protected override async Task ExecuteAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        var inputs = new PublishRequestReader(this).ReadLocked();
        var read = inputs.OtherImages.Sources.Prepend(inputs.Base).OfType<RegistryImage>();
        var lockRequest = new LockRequestReader(this).ReadForUpdate(InputParser.Words(RuntimeIdentifiers));
        var registries = BuildSession
            .GetOrCreate(
                BuildEngine4,
                SessionSettings.Read(
                    this,
                    new ImageNames(this).Destinations.Select(repository => repository.Registry),
                    read.Select(image => image.Location.Repository.Registry),
                    PublishedRegistries.Of([], inputs.Base)
                )
            )
            .Registries;
        var context = new PublishContext(registries, OpenStore(), log);
        var update = await new LockStep(context).UpdateAsync(inputs, lockRequest, cancellationToken);
        log.Information($"{ProjectName} -> {Path.GetFileName(lockRequest.File)}, {inputs.Platform}: {update.Summary}");
        Results = [.. (update.Current.Packages ?? []).Select(package => Item(package, inputs.Platform))];
    }

    private static Microsoft.Build.Utilities.TaskItem Item(PackageDocument package, Platform platform)
    {
        var item = OutputItem.Create(package.Name);
        item.SetText("Version", package.Version);
        item.SetText("Architecture", package.Architecture);
        item.SetText("Platform", platform.ToString());
        item.SetText("Sha256", package.Sha256);
        return item;
    }
}
