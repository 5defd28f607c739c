using ImagePublish.Bases;
using ImagePublish.Commands;
using ImagePublish.Diagnostics;
using ImagePublish.Reporting;
using ImagePublish.Tasks.Shared;

namespace ImagePublish.Tasks.Commands;

/// <summary>Removes one image's name, from the local store or a registry, and the content that nothing else needs.</summary>
public sealed class RemoveImage : CommandTask
{
    /// <summary>Whether to only report what would be done.</summary>
    public bool DryRun { get; set; }

    internal override string? LeftAlone => "no image was removed";

    private protected override async Task RunAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        var names = new CommandNames(this);
        Items = names.Source switch
        {
            StoreImage stored => await RemoveFromStoreAsync(stored, log, cancellationToken),
            RegistryImage remote => await RemoveFromRegistryAsync(remote, names, log, cancellationToken),
            null => throw new ImagePublishException(
                DiagnosticCodes.PropertyMissing,
                "RemoveImage needs to know which image: set ImageSource, for example -p:ImageSource=acme/shop:1.0."
            ),
            _ => throw InputParser.Invalid(
                "ImageSource",
                Source!,
                "expected an image of the local store or of a registry; a file is deleted as any other"
            ),
        };
    }

    private async Task<CommandItem[]> RemoveFromStoreAsync(StoreImage image, IPublishLog log, CancellationToken cancellationToken)
    {
        var pruner = new StorePruner(OpenStore(), TimeProvider.System);
        var result = await pruner.RemoveAsync(image.Name, DryRun, cancellationToken);
        return [.. StoreRemovals.Report(result, DryRun, log)];
    }

    private async Task<CommandItem[]> RemoveFromRegistryAsync(
        RegistryImage image,
        CommandNames names,
        IPublishLog log,
        CancellationToken cancellationToken
    )
    {
        var pruner = new TagPruner(Connect(names.Registries).Registries, OpenStore(), TimeProvider.System);
        var plan = await pruner.PlanAsync(image.Reference, cancellationToken);
        Report(log, PruneTables.OfTags(plan, DryRun));
        if (!DryRun && plan.Removed.Count > 0)
        {
            await pruner.RemoveAsync(plan, cancellationToken);
            log.Information(PruneTables.Removed(plan));
        }

        return [.. plan.Removed.Select(tag => CommandItem.Create($"{plan.Repository}:{tag.Tag}", ("Kind", "Tag"), ("Digest", tag.Digest)))];
    }
}
