using ImagePublish.Diagnostics;
using ImagePublish.Publishing.Verbs;
using ImagePublish.Reporting;

namespace ImagePublish.Tasks.Verbs;

/// <summary>Removes one image's name, from the local store or a registry, and the content that nothing else needs.</summary>
public sealed class RemoveImage : VerbTask
{
    /// <summary>Whether to tell only.</summary>
    public bool DryRun { get; set; }

    internal override string? LeftAlone => "no image was removed";

    /// <inheritdoc/>
    protected override async Task RunAsync(IEngineLog log, CancellationToken cancellationToken)
    {
        var names = new VerbNames(this);
        switch (names.Source)
        {
            case StoreImage kept:
                Items = [.. StoreItems.Tell(await new StorePruner(OpenStore(), TimeProvider.System).RemoveAsync(kept.Name, DryRun, cancellationToken), DryRun, log)];
                break;
            case RegistryImage remote:
                var pruner = new TagPruner(Connect(names.Registries).Registries, OpenStore(), TimeProvider.System);
                var plan = await pruner.PlanAsync(remote.Reference, cancellationToken);
                Tell(log, PruneTables.OfTags(plan, DryRun));
                if (!DryRun && plan.Removed.Count > 0)
                {
                    await pruner.RemoveAsync(plan, cancellationToken);
                    log.Information(PruneTables.Removed(plan));
                }

                Items = [.. plan.Removed.Select(tag => VerbItems.Of($"{plan.Repository}:{tag.Tag}", ("Kind", "Tag"), ("Digest", tag.Digest)))];
                break;
            case null:
                throw new ImagePublishException(DiagnosticCodes.PropertyMissing, "RemoveImage needs to know which image: set ImageSource, for example -p:ImageSource=acme/shop:1.0.");
            default:
                throw Lists.Invalid("ImageSource", Source!, "expected an image of the local store or of a registry; a file is deleted as any other");
        }
    }
}
