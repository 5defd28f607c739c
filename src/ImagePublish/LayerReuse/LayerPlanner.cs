using ImagePublish.Bases;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Layers;
using ImagePublish.Publishing;
using ImagePublish.Requests;

namespace ImagePublish.LayerReuse;

/// <summary>Plans which files lie in which layer. The base's own files are only looked at where something depends on them.</summary>
internal sealed class LayerPlanner(
    BaseFiles baseFiles,
    Func<Task<BaseImage>> resolving,
    Func<Task<IReadOnlyList<LayerProducer.Candidate>>> above
)
{
    /// <summary>Plans the layers.</summary>
    /// <exception cref="ImagePublishException">A file can't be read, or can't be where it is to go.</exception>
    public async Task<IReadOnlyList<LayerInput>> PlanAsync(
        PublishRequest request,
        PublishedFiles published,
        CancellationToken cancellationToken
    )
    {
        var isWindows = request.Spec.Platform.Os == "windows";
        var needsBase =
            !isWindows
            && (request.FileOwner?.IsNumeric == false || AddedEntries.NeedBase(request.Added, request.EntryDefaults.TargetFolder));
        var files = needsBase ? await baseFiles.ReadAsync(await resolving(), await above(), cancellationToken) : BaseFileSystem.Empty;
        var defaults = Owned(request, files);
        IReadOnlyList<LayerEntry> entries =
            defaults == request.EntryDefaults
                ? published.Entries
                : [.. published.Entries.Select(entry => entry with { Uid = defaults.Uid, Gid = defaults.Gid })];
        if (entries.All(entry => entry.Kind == LayerEntryKind.Directory))
            throw new ImagePublishException(
                DiagnosticCodes.PublishFolderEmpty,
                $"The publish folder '{Text.Sanitize(request.PublishFolder)}' is empty. Publish the project first, and see that no later step deletes its files."
            );
        var layers = new AddedEntries(files, defaults).Plan(entries, request.Items, request.Layering, request.Added);
        return isWindows ? [.. layers.Select(WindowsLayer.Create)] : layers;
    }

    private static LayerEntryDefaults Owned(PublishRequest request, BaseFileSystem files)
    {
        if (request.FileOwner is not { } owner)
            return request.EntryDefaults;
        var (uid, gid) = owner.Resolve(files.Accounts, out var unknown)
            ?? throw new ImagePublishException(
                DiagnosticCodes.UnknownOwner,
                $"ImageFileOwner is '{Text.Sanitize(owner.ToString())}', but the base image has no {Text.Sanitize(unknown!)}. Use a number, or a name of its /etc/passwd and /etc/group."
            );
        return request.EntryDefaults with { Uid = uid, Gid = gid };
    }
}
