using System.Text;
using ImagePublish.Bases;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Http;
using ImagePublish.Images;
using ImagePublish.LayerReuse;
using ImagePublish.Oci;
using ImagePublish.Packages;
using ImagePublish.Packages.Layout;
using ImagePublish.Packages.Model;
using ImagePublish.Requests;

namespace ImagePublish.Publishing;

/// <summary>Operating system packages as the layer below the app.</summary>
internal sealed class PackageStep(PublishContext context)
{
    private readonly OsPackages packages = new(new PackageNetwork(context.Registries.TryDownloadAsync, LookUpAsync), context.Log);

    /// <summary>The packages whose layer was found last.</summary>
    public IReadOnlyList<OsPackage> Chosen { get; private set; } = [];

    public sealed record Choice(IReadOnlyList<OsPackage> Packages, Lazy<Task<PackageBase?>> BaseFiles);

    /// <summary>Chooses the packages of a request: those of its lock, else what apt chooses for the base.</summary>
    public async Task<Choice> ChooseAsync(
        PackageRequest request,
        Platform platform,
        BaseImage? baseImage,
        bool mustRefresh,
        CancellationToken cancellationToken
    )
    {
        var baseFiles = new Lazy<Task<PackageBase?>>(() => ReadBaseAsync(baseImage, cancellationToken));
        var known = request.Locked is null ? await baseFiles.Value : null;
        return new Choice(await packages.ChooseAsync(request, platform, known, mustRefresh, cancellationToken), baseFiles);
    }

    /// <summary>Finds the packages' layer, or lays out its files.</summary>
    /// <returns>At most one layer: none if the request has no packages, or the base has all of them.</returns>
    /// <exception cref="ImagePublishException"><c>IMG6xxx</c>: the packages can't be had.</exception>
    public async Task<IReadOnlyList<LayerCandidate>> FindLayerAsync(
        PublishRequest request,
        Task<ResolvedImages> resolving,
        LayerProducer producer,
        CancellationToken cancellationToken
    )
    {
        if (request.Packages is not { } wanted)
            return [];
        var baseImage = request.Base is ScratchImage ? null : (await resolving).Base;
        try
        {
            return await FindLayerAsync(request, baseImage, producer, mustRefresh: false, cancellationToken);
        }
        catch (ImagePublishException exception) when (exception.Code == DiagnosticCodes.PackageGone && wanted.Locked is null)
        {
            // The package lists are out of date: a newer version has replaced it.
            return await FindLayerAsync(request, baseImage, producer, mustRefresh: true, cancellationToken);
        }
    }

    private async Task<IReadOnlyList<LayerCandidate>> FindLayerAsync(
        PublishRequest request,
        BaseImage? baseImage,
        LayerProducer producer,
        bool mustRefresh,
        CancellationToken cancellationToken
    )
    {
        var (wanted, platform) = (request.Packages!, request.Spec.Platform);
        var choice = await ChooseAsync(wanted, platform, baseImage, mustRefresh, cancellationToken);
        Chosen = choice.Packages;
        if (choice.Packages.Count == 0)
            return [];
        context.Log.Detail($"The image has {Text.Count(choice.Packages.Count, "package")}: {string.Join(", ", choice.Packages)}.");
        var key = KeyOf(choice.Packages, baseImage);
        if (await producer.FindByKeyAsync(PackageLayout.LayerName, key, cancellationToken) is { } known)
            return [known];
        var content = await packages.LayOutAsync(choice.Packages, wanted, platform, await choice.BaseFiles.Value, cancellationToken);
        return [await producer.LookUpPackagesAsync(content, key, cancellationToken)];
    }

    internal static async Task<IReadOnlyList<HostAddress>> LookUpAsync(string host, CancellationToken cancellationToken) =>
        [
            .. (await HostAddresses.LookUpAsync(host, cancellationToken)).Select(address => new HostAddress(
                address,
                AddressReaches.Classify(address) != AddressReach.Public
            )),
        ];

    private async Task<PackageBase?> ReadBaseAsync(BaseImage? baseImage, CancellationToken cancellationToken)
    {
        if (baseImage is null)
            return null;
        var files = await new BaseFiles(context.Store, context.Log).ReadAsync(baseImage, cancellationToken);
        return new PackageBase(baseImage.Name, files);
    }

    // The layer is a function of these and nothing else.
    private static Digest KeyOf(IReadOnlyList<OsPackage> packages, BaseImage? baseImage)
    {
        string[] lines =
        [
            $"{OsPackages.LayoutVersion}",
            .. packages.Select(package => $"{package.Name} {package.Digest}"),
            .. baseImage is null ? [] : baseImage.Layers.Select(layer => layer.DiffId.ToString()).Prepend("on"),
        ];
        return Digest.Compute(Encoding.UTF8.GetBytes(string.Join('\n', lines)));
    }
}
