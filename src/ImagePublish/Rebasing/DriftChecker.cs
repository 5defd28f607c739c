using System.Collections.Concurrent;
using ImagePublish.Bases;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Sboms;

namespace ImagePublish.Rebasing;

/// <summary>
/// Compares the bases that images name with what those names point at now: documents only, several images at a time, and each base asked
/// for once.
/// </summary>
internal sealed class DriftChecker(PublishContext context, Func<RegistryImage, RegistryImage> mirror)
{
    private readonly BaseResolver bases = new(context.Registries, context.Documents, context.Store);
    private readonly BaseFactsReader files = new(context.Store, context.Log);
    private readonly Lifecycle lifecycle = new(context.Registries, context.Log);
    private readonly ConcurrentDictionary<(Reference, Platform), Lazy<Task<BaseImage>>> resolved = new();
    private readonly ConcurrentDictionary<(Digest, Digest), Lazy<Task<IReadOnlyList<PackageChange>?>>> packages = new();

    /// <summary>Checks images. One that can't be read is reported as such, and the others are checked all the same.</summary>
    public Task<IReadOnlyList<ImageDrift>> CheckAsync(IReadOnlyList<Reference> images, CancellationToken cancellationToken) =>
        ManyImages.RunAsync(
            images,
            CheckAsync,
            (image, failure) => new ImageDrift(image, DriftState.Unknown) { Failure = failure },
            cancellationToken
        );

    private async Task<ImageDrift> CheckAsync(Reference reference, CancellationToken cancellationToken)
    {
        var image = await ReadImage.LoadAsync(context.Registries, context.Documents, reference, cancellationToken);
        var platform = image.Platforms.FirstOrDefault(one => NamedBase.Find(one) is not null);
        var drift = new ImageDrift(reference, DriftState.Unknown) { Digest = image.Root.Descriptor.Digest };
        if (platform is null)
            return drift with { Failure = Refusal.Unnamed(reference) };
        var named = NamedBase.Find(platform)!;
        drift = drift with { Base = named, Runtime = BaseFacts.RuntimeOf(platform.Config) };
        return await CompareAsync(drift, named, platform, cancellationToken);
    }

    private async Task<ImageDrift> CompareAsync(
        ImageDrift drift,
        NamedBase named,
        ImageDocuments platform,
        CancellationToken cancellationToken
    )
    {
        var source = mirror(new RegistryImage(named.Reference));
        if (
            await context.Documents.CurrentAsync(source.Location, cancellationToken) is { } current
            && (current.Digest == named.Digest || named.Digest is null)
            && await IsOnAsync(platform, source, named, cancellationToken)
        )
            return await WithDatesAsync(
                drift with
                {
                    State = DriftState.Current,
                    CurrentDigest = current.Digest,
                    CurrentRuntime = drift.Runtime,
                },
                source.Location.Repository,
                cancellationToken
            );
        var newer = await ResolveAsync(source, platform.Config.Platform, cancellationToken);
        var behind = drift with
        {
            State = DriftState.Behind,
            CurrentDigest = newer.Digest,
            CurrentRuntime = BaseFacts.RuntimeOf(newer.Config),
            CurrentCreated = newer.Config.Created,
            Packages = await ComparePackagesAsync(source, named, newer, platform, cancellationToken),
        };
        return await WithDatesAsync(behind, source.Location.Repository, cancellationToken);
    }

    // An image that names its base without a digest is on it where its lowest layers are those of the base.
    private async Task<bool> IsOnAsync(ImageDocuments image, RegistryImage source, NamedBase named, CancellationToken cancellationToken)
    {
        if (named.Digest is not null)
            return true;
        var layers = (await ResolveAsync(source, image.Config.Platform, cancellationToken)).Config.RootFs.DiffIds;
        return layers.SequenceEqual(image.Config.RootFs.DiffIds.Take(layers.Count));
    }

    private Task<BaseImage> ResolveAsync(RegistryImage source, Platform platform, CancellationToken cancellationToken) =>
        resolved.GetOrAdd((source.Location, platform), _ => new(() => bases.ResolveAsync(source, platform, cancellationToken))).Value;

    private async Task<ImageDrift> WithDatesAsync(ImageDrift drift, Repository repository, CancellationToken cancellationToken) =>
        drift with
        {
            EndOfLife = await lifecycle.FindAsync(repository, drift.CurrentDigest!, cancellationToken),
            Superseded =
                drift.State == DriftState.Behind && drift.Base!.Digest is { } old
                    ? await lifecycle.FindAsync(repository, old, cancellationToken)
                    : null,
        };

    private Task<IReadOnlyList<PackageChange>?> ComparePackagesAsync(
        RegistryImage source,
        NamedBase named,
        BaseImage newer,
        ImageDocuments image,
        CancellationToken cancellationToken
    ) =>
        named.Digest is not { } digest
            ? Task.FromResult<IReadOnlyList<PackageChange>?>(null)
            : packages
                .GetOrAdd((digest, newer.ManifestDigest!), _ =>
                    new(() => CompareAsync(source with { Locked = digest }, newer, image.Config.Platform, cancellationToken))
                )
                .Value;

    // Nothing is downloaded for this: a rebase, or a publish that looked into the base, has read them before.
    private async Task<IReadOnlyList<PackageChange>?> CompareAsync(
        RegistryImage locked,
        BaseImage newer,
        Platform platform,
        CancellationToken cancellationToken
    )
    {
        try
        {
            if (await files.TryReadAsync(newer.Layers, cancellationToken) is not { } now)
                return null;
            var old = await bases.ResolveAsync(locked, platform, cancellationToken);
            if (await files.TryReadAsync(old.Layers, cancellationToken) is not { } before)
                return null;
            var (had, has) = (VersionsOf(before), VersionsOf(now));
            return
            [
                .. had
                    .Keys.Union(has.Keys)
                    .Order(StringComparer.Ordinal)
                    .Select(name => new PackageChange(name, had.GetValueOrDefault(name), has.GetValueOrDefault(name)))
                    .Where(change => change.Version != change.CurrentVersion),
            ];
        }
        catch (ImagePublishException exception)
        {
            context.Log.Detail($"The packages of '{locked}' are not compared: {Text.Sanitize(exception.Message)}");
            return null;
        }
    }

    private static Dictionary<string, string?> VersionsOf(Layers.BaseFileSystem files) =>
        new SystemPackages(files).All.DistinctBy(package => package.Name).ToDictionary(package => package.Name, package => package.Version);
}
