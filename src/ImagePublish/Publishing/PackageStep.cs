using System.Text;
using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.Http;
using ImagePublish.Images;
using ImagePublish.LayerReuse;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Packages;
using ImagePublish.Registries;
using ImagePublish.Requests;
using ImagePublish.Storage;

namespace ImagePublish.Publishing;

/// <summary>Operating system packages as the layer below the app.</summary>
internal sealed class PackageStep(RegistryClient registries, ImageStore store, IPublishLog log, bool isPlan = false)
{
    private const string Kind = "packages";

    private readonly OsPackages packages = new(new PackageNetwork(registries.TryDownloadAsync, InnerAddresses.FindAsync), log);
    private Digest? key;
    private LayerInput? content;

    /// <summary>Chooses the packages of a request.</summary>
    public async Task<(IReadOnlyList<OsPackage> Packages, Lazy<Task<PackageBase?>> Below)> ChooseAsync(
        PackageRequest request,
        Platform platform,
        BaseImage? below,
        bool mustRefresh,
        CancellationToken cancellationToken
    )
    {
        var files = new Lazy<Task<PackageBase?>>(async () =>
            below is null ? null : new PackageBase(below.Name, await new BaseFiles(store, log).ReadAsync(below, cancellationToken))
        );
        return (
            await packages.ChooseAsync(
                request,
                platform,
                request.Locked is null ? await files.Value : null,
                mustRefresh,
                cancellationToken
            ),
            files
        );
    }

    /// <summary>Finds the packages' layer, or has the packages at hand for it.</summary>
    /// <exception cref="ImagePublishException"><c>IMG6xxx</c>: packages can not be had.</exception>
    public async Task<IReadOnlyList<LayerProducer.Candidate>> LookUpAsync(
        PublishRequest request,
        Func<Task<BaseImage>> resolving,
        LayerProducer producer,
        CancellationToken cancellationToken
    )
    {
        if (request.Packages is not { } wanted)
            return [];
        var below = request.Base is ScratchBase ? null : await resolving();
        try
        {
            return await LookUpAsync(request, wanted, below, producer, mustRefresh: false, cancellationToken);
        }
        catch (ImagePublishException exception) when (exception.Code == DiagnosticCodes.PackageGone && wanted.Locked is null)
        {
            // A newer one has taken its place since the sources were asked.
            return await LookUpAsync(request, wanted, below, producer, mustRefresh: true, cancellationToken);
        }
    }

    /// <summary>Remembers what the packages' layer became, so that nothing need be read next time.</summary>
    public Task RememberAsync(LayerProducer.Candidate candidate, Digest diffId, CancellationToken cancellationToken) =>
        !isPlan && key is not null && ReferenceEquals(candidate.Content, content)
            ? store.Records.WriteAsync(Kind, key, Encoding.UTF8.GetBytes(diffId.ToString()), cancellationToken)
            : Task.CompletedTask;

    private async Task<IReadOnlyList<LayerProducer.Candidate>> LookUpAsync(
        PublishRequest request,
        PackageRequest wanted,
        BaseImage? below,
        LayerProducer producer,
        bool mustRefresh,
        CancellationToken cancellationToken
    )
    {
        var platform = request.Spec.Platform;
        var (chosen, files) = await ChooseAsync(wanted, platform, below, mustRefresh, cancellationToken);
        if (chosen.Count == 0)
            return [];
        log.Detail($"The image has {chosen.Count} packages: {string.Join(", ", chosen)}.");
        key = KeyOf(chosen, below);
        if (
            !isPlan
            && await store.Records.ReadAsync(Kind, key, cancellationToken) is { } record
            && Digest.TryParse(Encoding.UTF8.GetString(record), out var diffId)
            && await producer.FindAsync(
                new LayerProducer.Candidate(LayerInput.Create(OsPackages.LayerName, []), null, diffId, null),
                request.Compression,
                cancellationToken
            )
                is { Known: not null } known
        )
            return [known];
        content = await packages.LayOutAsync(chosen, wanted, platform, await files.Value, cancellationToken);
        var candidate = await producer.LookUpAsync(content, request.Compression, cancellationToken);
        if (candidate.DiffId is { } found)
            await RememberAsync(candidate, found, cancellationToken);
        return [candidate];
    }

    // The layer is a function of these and nothing else.
    private static Digest KeyOf(IReadOnlyList<OsPackage> packages, BaseImage? below) =>
        Digest.Compute(
            Encoding.UTF8.GetBytes(
                string.Join(
                    '\n',
                    [
                        $"{OsPackages.LayoutVersion}",
                        .. packages.Select(package => $"{package.Name} {package.Digest}"),
                        .. below is null ? [] : below.Layers.Select(layer => layer.DiffId.ToString()).Prepend("on"),
                    ]
                )
            )
        );
}
