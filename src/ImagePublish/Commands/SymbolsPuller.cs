using ImagePublish.Attachments;
using ImagePublish.Bases;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Storage;

namespace ImagePublish.Commands;

/// <summary>The debug symbols of an image, in a folder.</summary>
/// <param name="Platforms">The platforms that they are of: several where these have the same symbols.</param>
internal sealed record PulledSymbols(IReadOnlyList<InspectedPlatform> Platforms, string Folder, int Files, long Length);

/// <summary>Gets the debug symbols back that are attached to an image.</summary>
/// <remarks>
/// Whoever may push can attach what they like: only files that are named as symbols are written, below the folder, and only when the whole
/// attachment is read and is what its digest promises.
/// </remarks>
internal sealed class SymbolsPuller(RegistryClient registries, ImageStore store)
{
    private const int MaxFiles = 100_000;

    private static readonly StringComparer PathComparer = OperatingSystem.IsLinux()
        ? StringComparer.Ordinal
        : StringComparer.OrdinalIgnoreCase;

    /// <summary>Writes the symbols into a folder: those of several platforms, where they differ, into a folder for each below it.</summary>
    /// <exception cref="ImagePublishException"><c>IMG4160</c>: there are none; <c>IMG4018</c>: they are not what they claim to be;
    /// <c>IMG3003</c>: they can't be written; or what the source fails with.</exception>
    public async Task<IReadOnlyList<PulledSymbols>> PullAsync(ImageSource source, string folder, CancellationToken cancellationToken)
    {
        var content = await new ImageOpener(registries, store).OpenAsync(source, cancellationToken);
        var name = source.ToString()!;
        var image = await ImageInspector.InspectAsync(name, content, cancellationToken);
        var attached = await new AttestationReader(content).ListAsync(cancellationToken);
        var sets = image
            .Platforms.Select(platform => (Platform: platform, Symbols: SymbolsOf(attached, platform.Descriptor.Digest)))
            .Where(one => one.Symbols.Count > 0)
            .GroupBy(one => string.Join(' ', one.Symbols.Select(IdentityOf)), StringComparer.Ordinal)
            .ToList();
        if (sets.Count == 0)
            throw new ImagePublishException(
                DiagnosticCodes.SymbolsMissing,
                $"No debug symbols are attached to '{Text.Sanitize(name)}'. Publish it with ImageSymbols=Separate."
            );
        var pulled = new List<PulledSymbols>();
        foreach (var set in sets)
        {
            InspectedPlatform[] platforms = [.. set.Select(one => one.Platform)];
            var target = sets.Count == 1 ? folder : Path.Combine(folder, NameOf(platforms[0].Config.Platform));
            pulled.Add(await WriteAsync(new SymbolSet(content, set.First().Symbols), platforms, target, cancellationToken));
        }

        return pulled;
    }

    private sealed record SymbolSet(IImageContent Content, IReadOnlyList<AttachmentInfo> Attached);

    private static List<AttachmentInfo> SymbolsOf(IReadOnlyList<AttachmentInfo> attached, Digest image) =>
        [
            .. attached
                .Where(one => one.Subject == image && one.Types.Contains(AttachmentTypes.Symbols))
                .OrderBy(IdentityOf, StringComparer.Ordinal),
        ];

    private static string IdentityOf(AttachmentInfo attachment) =>
        attachment.Descriptor.Annotations?.GetValueOrDefault(AttachmentTypes.SymbolsDiffId) ?? attachment.Descriptor.Digest.Value;

    // A platform is foreign text, too.
    private static string NameOf(Platform platform) =>
        string.Concat(platform.ToString().Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' ? c : '-')).TrimStart('.');

    private static async Task<PulledSymbols> WriteAsync(
        SymbolSet set,
        IReadOnlyList<InspectedPlatform> platforms,
        string folder,
        CancellationToken cancellationToken
    )
    {
        var unfinished = Path.Combine(folder, $".unfinished-{Guid.NewGuid():n}");
        var isNew = !Directory.Exists(folder);
        try
        {
            Directory.CreateDirectory(unfinished);
            var files = new Dictionary<string, long>(PathComparer);
            foreach (var attachment in set.Attached)
                await ExtractAsync(set.Content, attachment, unfinished, files, cancellationToken);
            foreach (var file in files.Keys)
            {
                Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, file))!);
                File.Move(Path.Combine(unfinished, file), Path.Combine(folder, file), overwrite: true);
            }

            isNew = false;
            return new PulledSymbols(platforms, folder, files.Count, files.Values.Sum());
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ImagePublishException(
                DiagnosticCodes.DiskFailed,
                $"The debug symbols can't be written to '{Text.Sanitize(folder)}': {Text.Sanitize(exception.Message)}",
                exception
            );
        }
        finally
        {
            Remove(isNew ? folder : unfinished);
        }
    }

    // What prevented the files may prevent this, too: the first failure is the one to report.
    private static void Remove(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException) { }
    }

    private static async Task ExtractAsync(
        IImageContent content,
        AttachmentInfo attachment,
        string folder,
        Dictionary<string, long> files,
        CancellationToken cancellationToken
    )
    {
        var own = new HashSet<string>(PathComparer);
        foreach (var layer in await LayersOfAsync(content, attachment, cancellationToken))
        {
            await using var blob = await content
                .Blob(layer)
                .OpenVerifiedAsync(
                    () => AttestationReader.Invalid(attachment, $"the content of {layer.Digest} differs from its digest"),
                    cancellationToken
                );
            try
            {
                var options = new LayerReaderOptions { MaxEntries = MaxFiles };
                await foreach (var entry in LayerReader.ReadAsync(blob, options, cancellationToken))
                {
                    if (entry.Kind == LayerEntryInfoKind.Directory)
                        continue;
                    if (!own.Add(CheckedPath(attachment, entry)))
                        throw AttestationReader.Invalid(attachment, $"it has '{Text.Sanitize(entry.Path)}' twice");
                    // Several attachments of one image have symbols of the same programs: the first will do.
                    if (files.TryAdd(entry.Path, entry.Length))
                        await WriteAsync(entry, Path.Combine(folder, entry.Path), cancellationToken);
                }

                await blob.CopyToAsync(Stream.Null, cancellationToken);
            }
            catch (ImagePublishException exception) when (exception.Code == DiagnosticCodes.LayerInvalid)
            {
                throw AttestationReader.Invalid(attachment, Text.Sanitize(exception.Message).TrimEnd('.'), exception);
            }
        }
    }

    private static async Task<IReadOnlyList<Descriptor>> LayersOfAsync(
        IImageContent content,
        AttachmentInfo attachment,
        CancellationToken cancellationToken
    ) =>
        await content.TryReadAsync(attachment.Descriptor, cancellationToken) is { } document
            ? OciJson.ReadManifest(document.Content.Span).Layers
            : throw AttestationReader.Invalid(attachment, "it is gone");

    private static string CheckedPath(AttachmentInfo attachment, LayerEntryInfo entry)
    {
        var path = entry.Path;
        var isNamedSo =
            path.EndsWith(".pdb", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".dbg", StringComparison.OrdinalIgnoreCase);
        if (entry is not { Kind: LayerEntryInfoKind.File, Content: not null } || !isNamedSo)
            throw AttestationReader.Invalid(attachment, $"it has '{Text.Sanitize(path)}', which is not a debug symbol file");
        if (OperatingSystem.IsWindows() && path.Split('/').Any(part => part.IndexOfAny(Path.GetInvalidFileNameChars()) >= 0))
            throw AttestationReader.Invalid(attachment, $"it has '{Text.Sanitize(path)}', which is not a valid path on this system");
        try
        {
            LayerPath.Check(path);
            return path;
        }
        catch (ImagePublishException exception)
        {
            throw AttestationReader.Invalid(attachment, Text.Sanitize(exception.Message).TrimEnd('.'), exception);
        }
    }

    private static async Task WriteAsync(LayerEntryInfo entry, string path, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
        await entry.Content!.CopyToAsync(file, cancellationToken);
    }
}
