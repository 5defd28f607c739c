using ImagePublish.Bases;
using ImagePublish.Commands;
using ImagePublish.Diagnostics;
using ImagePublish.Reporting;

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
        switch (names.Source)
        {
            case StoreImage kept:
                Items =
                [
                    .. StoreItems.Report(
                        await new StorePruner(OpenStore(), TimeProvider.System).RemoveAsync(kept.Name, DryRun, cancellationToken),
                        DryRun,
                        log
                    ),
                ];
                break;
            case RegistryImage remote:
                var pruner = new TagPruner(Connect(names.Registries).Registries, OpenStore(), TimeProvider.System);
                var plan = await pruner.PlanAsync(remote.Reference, cancellationToken);
                Report(log, PruneTables.OfTags(plan, DryRun));
                if (!DryRun && plan.Removed.Count > 0)
                {
                    await pruner.RemoveAsync(plan, cancellationToken);
                    log.Information(PruneTables.Removed(plan));
                }

                Items =
                [
                    .. plan.Removed.Select(tag => CommandItems.Of($"{plan.Repository}:{tag.Tag}", ("Kind", "Tag"), ("Digest", tag.Digest))),
                ];
                break;
            case null:
                throw new ImagePublishException(
                    DiagnosticCodes.PropertyMissing,
                    "RemoveImage needs to know which image: set ImageSource, for example -p:ImageSource=acme/shop:1.0."
                );
            default:
                throw InputParser.Invalid(
                    "ImageSource",
                    Source!,
                    "expected an image of the local store or of a registry; a file is deleted as any other"
                );
        }
    }
}
