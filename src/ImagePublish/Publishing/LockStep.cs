using ImagePublish.Bases;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Packages.Model;
using ImagePublish.Requests;
using ImagePublish.Trust;

namespace ImagePublish.Publishing;

/// <summary>
/// Pins a publish to its lock file: the base by its digest, the packages by their hashes. No registry and no package source is asked for
/// what is locked.
/// </summary>
internal sealed class LockStep(PublishContext context)
{
    private readonly BaseResolver bases = new(context.Registries, context.Documents, context.Store);

    /// <summary>Pins a request to its lock file, which is renewed if it does not fit.</summary>
    /// <exception cref="ImagePublishException"><c>IMG6010</c>: the lock does not fit, and must.</exception>
    public async Task<PublishRequest> PinAsync(PublishRequest request, PublishOutput output, CancellationToken cancellationToken)
    {
        if (request.Lock is not { } lockRequest)
            return request;
        var platform = request.Spec.Platform;
        var entry = await new ImageLockFile(lockRequest).ReadAsync(platform, cancellationToken);
        if (await FindMismatchAsync(request, entry, cancellationToken) is { } mismatch)
        {
            if (lockRequest.IsLocked)
                throw new ImagePublishException(
                    DiagnosticCodes.PackageLockOutdated,
                    $"The lock file '{Text.Sanitize(lockRequest.File)}' does not fit the project: {mismatch}. "
                        + "Renew it and commit the result: dotnet msbuild -t:UpdateImageLock."
                );
            var inputs = new LockInputs(platform, request.Base, request.Packages)
            {
                BaseTrust = request.BaseTrust,
                OtherImages = lockRequest.OtherImages ?? request.OtherImages,
            };
            var update = new LockUpdate(platform, await ChooseAsync(inputs, cancellationToken), entry);
            var outcome = await output.RenewLockAsync(lockRequest, platform, update.Current, cancellationToken);
            context.Log.Information($"{Path.GetFileName(lockRequest.File)} {outcome} for {platform}, since {mismatch}: {update.Summary}");
            entry = update.Current;
        }

        return Pin(request, entry!);
    }

    /// <summary>Finds the newest base and packages of a platform, and writes them into the lock file.</summary>
    /// <exception cref="ImagePublishException">The base or packages can't be found, or the file can't be written.</exception>
    public async Task<LockUpdate> UpdateAsync(LockInputs inputs, LockRequest lockRequest, CancellationToken cancellationToken)
    {
        var file = new ImageLockFile(lockRequest);
        var platform = inputs.Platform;
        var entry = await ChooseAsync(inputs, cancellationToken);
        var former = await ReadFormerAsync(file, platform, cancellationToken);
        return new LockUpdate(platform, entry, former) { IsChanged = await file.WriteAsync(platform, entry, cancellationToken) };
    }

    private static PublishRequest Pin(PublishRequest request, PlatformLock entry)
    {
        var packages = request.Packages;
        var images = (entry.Images ?? []).ToDictionary(image => image.Reference, image => Digest.Parse(image.Digest));
        return request with
        {
            Base = request.Base is RegistryImage remote ? remote with { Locked = Digest.Parse(entry.Base!.Digest) } : request.Base,
            OtherImages = request.OtherImages.Replace(source =>
                source is RegistryImage other ? other with { Locked = images[other.Reference.ToString()] } : source
            ),
            Packages = packages is null ? null : packages with { Locked = [.. entry.Packages!.Select(package => package.ToPackage()!)] },
        };
    }

    private async Task<PlatformLock> ChooseAsync(LockInputs inputs, CancellationToken cancellationToken)
    {
        var (platform, source, wanted) = inputs;
        var signed = new BaseInputs(source, platform, inputs.BaseTrust);
        var resolvingBase = new BaseStep(context).ResolveAsync(signed, known: null, cancellationToken);
        var images = await new OtherImagesStep(context).ResolveAsync(inputs.OtherImages, platform, resolvingBase, cancellationToken);
        IReadOnlyList<OsPackage>? packages = null;
        if (wanted is not null)
        {
            var unlocked = wanted with { Locked = null };
            var baseImage = source is ScratchImage ? null : images.Base;
            var choice = await new PackageStep(context).ChooseAsync(unlocked, platform, baseImage, mustRefresh: true, cancellationToken);
            packages = choice.Packages;
        }

        return new PlatformLock
        {
            Base = source is ScratchImage ? null : new LockedBase(ReferenceOf(source), images.Original.Digest!.ToString()),
            Images = LockedImages(images) is { Count: > 0 } others ? others : null,
            Requested = wanted?.Wanted,
            Packages = packages is null ? null : [.. packages.Select(PackageDocument.Create)],
        };
    }

    // What is on this machine is not pinned: no tag moves it.
    private static List<LockedImage> LockedImages(ResolvedImages images) =>
        [
            .. images
                .Others.Where(other => ReferenceOf(other.Key) is not null)
                .Select(other => new LockedImage(ReferenceOf(other.Key)!, other.Value.Digest!.ToString()))
                .OrderBy(image => image.Reference, StringComparer.Ordinal),
        ];

    // A damaged file is replaced.
    private static async Task<PlatformLock?> ReadFormerAsync(ImageLockFile file, Platform platform, CancellationToken cancellationToken)
    {
        try
        {
            return await file.ReadAsync(platform, cancellationToken);
        }
        catch (ImagePublishException)
        {
            return null;
        }
    }

    private async Task<string?> FindMismatchAsync(PublishRequest request, PlatformLock? entry, CancellationToken cancellationToken)
    {
        var platform = request.Spec.Platform;
        if (entry is null)
            return $"it has no entry for {platform}";
        if (ReferenceOf(request.Base) != entry.Base?.Reference || request.Base is ScratchImage != entry.Base is null)
            return $"the base image of {platform} is {NameOf(request.Base)}, and in the lock {NameOf(entry.Base)}";
        if (request.Base is not (RegistryImage or ScratchImage))
        {
            var baseImage = await bases.ResolveAsync(request.Base, platform, cancellationToken);
            if (baseImage.Digest is { } digest && digest.ToString() != entry.Base!.Digest)
                return $"the base image of {platform} is {digest}, and in the lock {entry.Base.Digest}";
        }

        if (await FindOtherImageMismatchAsync(request, entry, cancellationToken) is { } other)
            return other;
        var wanted = request.Packages?.Wanted ?? [];
        var locked = entry.Requested ?? [];
        if (wanted.Except(locked).FirstOrDefault() is { } added)
            return $"the package '{Text.Sanitize(added)}' is not in it";
        if (locked.Except(wanted).FirstOrDefault() is { } removed)
            return $"the package '{Text.Sanitize(removed)}' is no longer asked for";
        return (request.Packages is null) != (entry.Packages is null) ? "it has no packages" : null;
    }

    private async Task<string?> FindOtherImageMismatchAsync(PublishRequest request, PlatformLock entry, CancellationToken cancellationToken)
    {
        var locked = (entry.Images ?? []).ToDictionary(image => image.Reference, image => image.Digest);
        var sources = (request.Lock!.OtherImages ?? request.OtherImages).Sources.Where(source => ReferenceOf(source) is not null).ToList();
        foreach (var source in sources)
        {
            if (!locked.Remove(ReferenceOf(source)!, out var digest))
                return $"the image '{source}' is not in it";
            if (source is not OfflineImage)
                continue;
            var kept = await bases.ResolveAsync(source, request.Spec.Platform, cancellationToken);
            if (kept.Digest!.ToString() != digest)
                return $"the image '{source}' is {kept.Digest}, and in the lock {digest}";
        }

        return locked.Keys.FirstOrDefault() is { } gone ? $"the image '{Text.Sanitize(gone)}' is no longer used" : null;
    }

    private static string NameOf(ImageSource source) =>
        ReferenceOf(source) ?? (source is ScratchImage ? "scratch" : "an image on this machine");

    private static string NameOf(LockedBase? locked) =>
        locked is null ? "scratch"
        : locked.Reference is { } reference ? Text.Sanitize(reference)
        : "a local image";

    // Local paths are not written to the lock file.
    private static string? ReferenceOf(ImageSource source) =>
        source switch
        {
            RegistryImage remote => remote.Reference.ToString(),
            OfflineImage stored => stored.Reference.ToString(),
            _ => null,
        };
}

/// <summary>What a lock file pins for one platform.</summary>
internal sealed record LockInputs(Platform Platform, ImageSource Base, PackageRequest? Packages)
{
    /// <summary>Who must have signed the base; null if that does not matter.</summary>
    public TrustPolicy? BaseTrust { get; init; }

    public OtherImages OtherImages { get; init; } = OtherImages.None;
}

/// <summary>What was, or would be, written to a lock file.</summary>
internal sealed record LockUpdate(Platform Platform, PlatformLock Current, PlatformLock? Former)
{
    private const int MaxShown = 5;

    public bool IsChanged { get; init; }

    public string Summary
    {
        get
        {
            var packages = Text.Count(Current.Packages?.Count ?? 0, "package");
            if (Former is null)
                return Current.Base is null ? packages : $"{packages}, base {Current.Base.Digest}";
            var changes = Changes(Former).ToList();
            if (changes.Count == 0)
                return $"{packages}, nothing new";
            var more = changes.Count > MaxShown ? $" and {changes.Count - MaxShown} more" : "";
            return $"{packages}; {Text.OneLine(string.Join(", ", changes.Take(MaxShown)))}{more}";
        }
    }

    private IEnumerable<string> Changes(PlatformLock former)
    {
        if (Current.Base is not null && Current.Base != former.Base)
            yield return $"base {Current.Base.Digest}";
        foreach (var image in (Current.Images ?? []).Except(former.Images ?? []))
            yield return $"{image.Reference} {image.Digest}";
        var before = (former.Packages ?? []).ToDictionary(package => package.Name, package => package.Version);
        foreach (var package in Current.Packages ?? [])
        {
            if (!before.Remove(package.Name, out var version))
                yield return $"{package.Name} {package.Version} is new";
            else if (version != package.Version)
                yield return $"{package.Name} {version} → {package.Version}";
        }

        foreach (var gone in before.Keys)
            yield return $"{gone} is gone";
    }
}
