using ImagePublish.Bases;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Packages;
using ImagePublish.Registries;
using ImagePublish.Requests;
using ImagePublish.Storage;

namespace ImagePublish.Publishing.Locking;

/// <summary>Holds a publish to its lock file: the base by its digest, the packages by their hashes. Nothing is asked of anybody for what is locked.</summary>
internal sealed class LockStep(RegistryClient registries, RegistryDocuments documents, ImageStore store, IPublishLog log)
{
    private const string Advice = "Renew it and commit the result: dotnet msbuild -t:UpdateImageLock.";

    /// <summary>Pins a request to its lock file, which is renewed if it does not fit.</summary>
    /// <exception cref="ImagePublishException"><c>IMG6010</c>: the lock does not fit, and must.</exception>
    public async Task<PublishRequest> PinAsync(PublishRequest request, bool isPlan, CancellationToken cancellationToken)
    {
        if (request.Lock is not { } lockRequest)
            return request;
        var entry = await new ImageLockFile(lockRequest).ReadAsync(request.Spec.Platform, cancellationToken);
        if (await FindMisfitAsync(request, entry, cancellationToken) is { } misfit)
        {
            if (lockRequest.IsLocked)
                throw new ImagePublishException(
                    DiagnosticCodes.PackageLockOutdated,
                    $"The lock file '{Text.Sanitize(lockRequest.File)}' does not fit the project: {misfit}. {Advice}"
                );
            var update = isPlan
                ? new LockUpdate(
                    request.Spec.Platform,
                    await ChooseAsync(request.Spec.Platform, request.Base, request.Packages, cancellationToken),
                    entry
                )
                : await UpdateAsync(request.Spec.Platform, request.Base, request.Packages, lockRequest, cancellationToken);
            log.Information(
                $"{Path.GetFileName(lockRequest.File)} {(isPlan ? "would be" : "was")} renewed for {request.Spec.Platform}, since {misfit}: {update.Summary}"
            );
            entry = update.Current;
        }

        return request with
        {
            Base = request.Base is RegistryBase remote ? remote with { Locked = Digest.Parse(entry!.Base!.Digest) } : request.Base,
            Packages = request.Packages is null
                ? null
                : request.Packages with
                {
                    Locked = [.. entry!.Packages!.Select(package => package.ToPackage()!)],
                },
        };
    }

    /// <summary>Asks what the newest is, and writes it into the lock file.</summary>
    public async Task<LockUpdate> UpdateAsync(
        Platform platform,
        BaseSource source,
        PackageRequest? wanted,
        LockRequest lockRequest,
        CancellationToken cancellationToken
    )
    {
        var file = new ImageLockFile(lockRequest);
        var entry = await ChooseAsync(platform, source, wanted, cancellationToken);
        var former = await FormerAsync(file, platform, cancellationToken);
        return new LockUpdate(platform, entry, former) { IsChanged = await file.WriteAsync(platform, entry, cancellationToken) };
    }

    private async Task<PlatformLock> ChooseAsync(
        Platform platform,
        BaseSource source,
        PackageRequest? wanted,
        CancellationToken cancellationToken
    )
    {
        var below =
            source is ScratchBase
                ? null
                : await new BaseResolver(registries, documents, store).ResolveAsync(source, platform, cancellationToken);
        var chosen = wanted is null
            ? null
            : (
                await new PackageStep(registries, store, log).ChooseAsync(
                    wanted with
                    {
                        Locked = null,
                    },
                    platform,
                    below,
                    mustRefresh: true,
                    cancellationToken
                )
            ).Packages;
        return new PlatformLock
        {
            Base = below is null ? null : new LockedBase(ReferenceOf(source), below.Digest!.ToString()),
            Requested = wanted?.Wanted,
            Packages = chosen is null ? null : [.. chosen.Select(PackageDocument.Create)],
        };
    }

    private static async Task<PlatformLock?> FormerAsync(ImageLockFile file, Platform platform, CancellationToken cancellationToken)
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

    private async Task<string?> FindMisfitAsync(PublishRequest request, PlatformLock? entry, CancellationToken cancellationToken)
    {
        var platform = request.Spec.Platform;
        if (entry is null)
            return $"it says nothing of {platform}";
        if (ReferenceOf(request.Base) != entry.Base?.Reference || request.Base is ScratchBase != entry.Base is null)
            return $"the base image of {platform} is {NameOf(request.Base)}, and in the lock {(entry.Base?.Reference is { } reference ? Text.Sanitize(reference) : entry.Base is null ? "scratch" : "one of some machine")}";
        if (
            request.Base is LocalBase or StoreBase
            && (await new BaseResolver(registries, documents, store).ResolveAsync(request.Base, platform, cancellationToken)).Digest
                is { } digest
            && digest.ToString() != entry.Base!.Digest
        )
            return $"the base image of {platform} is {digest}, and in the lock {entry.Base.Digest}";
        var wanted = request.Packages?.Wanted ?? [];
        var locked = entry.Requested ?? [];
        if (wanted.Except(locked).FirstOrDefault() is { } added)
            return $"the package '{Text.Sanitize(added)}' is not in it";
        if (locked.Except(wanted).FirstOrDefault() is { } removed)
            return $"the package '{Text.Sanitize(removed)}' is no longer asked for";
        return (request.Packages is null) != (entry.Packages is null) ? "it has no packages" : null;
    }

    private static string NameOf(BaseSource source) => ReferenceOf(source) ?? (source is ScratchBase ? "scratch" : "one of this machine");

    // A file's place is nobody else's business.
    private static string? ReferenceOf(BaseSource source) =>
        source switch
        {
            RegistryBase remote => remote.Reference.ToString(),
            StoreBase stored => stored.Reference.ToString(),
            _ => null,
        };
}
