using System.Text;
using ImagePublish.Bases;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.LayerReuse;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Packages.Dependencies;
using ImagePublish.Requests;
using ImagePublish.Storage;

namespace ImagePublish.Publishing;

/// <summary>
/// Warns of what the app needs and the image does not have, instead of a crash in production. Findings are remembered by the image's
/// config, which names its layers, its environment and its command.
/// </summary>
internal sealed class DependencyCheckStep(ImageStore store, IPublishLog log)
{
    private const string Kind = "findings";

    // Counts up when the check finds something more.
    private const int Version = 4;

    /// <summary>Repeats the warnings of an image that was examined before.</summary>
    public async Task RepeatAsync(PublishRequest request, Image image, CancellationToken cancellationToken)
    {
        if (IsWanted(request) && await ReadAsync(request, image, cancellationToken) is { } findings)
            Log(findings);
    }

    /// <summary>
    /// Examines an image: one that was published, or one that must not be if the warning is an error. Without the base's files only the
    /// app's own are read.
    /// </summary>
    /// <exception cref="ImagePublishException"><c>IMG6011</c>, <c>IMG1022</c>: something is found, and the warning is an error.</exception>
    public async Task ExamineAsync(
        PublishRequest request,
        Image image,
        BaseImage baseImage,
        IReadOnlyList<LayerCandidate> candidates,
        CancellationToken cancellationToken
    )
    {
        if (!IsWanted(request))
            return;
        try
        {
            if (await ReadAsync(request, image, cancellationToken) is { IsWhole: true } known)
            {
                Log(known);
                return;
            }

            var findings = await FindAsync(request, image, baseImage, candidates, cancellationToken);
            Log(findings);
            if (findings.IsWhole || findings.OtherMachine is not null)
                await RememberAsync(request, image, findings, cancellationToken);
        }
        catch (Exception exception)
            when (exception is ImagePublishException { Code: var code }
                    ? code != DiagnosticCodes.LibraryMissing && code != DiagnosticCodes.OtherMachine
                    : exception is IOException or UnauthorizedAccessException
            )
        {
            // A check that fails must not fail the publish.
            log.Detail($"The app is not checked for missing libraries: {Text.Sanitize(exception.Message)}");
        }
    }

    private static bool IsWanted(PublishRequest request) => request.DependencyCheck is not null && request.Spec.Platform.Os == "linux";

    private async Task<Findings> FindAsync(
        PublishRequest request,
        Image image,
        BaseImage baseImage,
        IReadOnlyList<LayerCandidate> candidates,
        CancellationToken cancellationToken
    )
    {
        var entries = candidates.SelectMany(candidate => candidate.Content.Entries).ToList();
        var machine = OtherArchitectures.Find(entries, request.Spec.Platform, CommandOf(image), cancellationToken);
        // A layer of packages that was known without its files is read like one of the base's.
        var withoutFiles = candidates.Where(candidate => candidate.Content.Entries.Count == 0).Select(candidate => candidate.Known!);
        var below = baseImage.Layers.Concat(withoutFiles);
        var files = await new BaseFiles(store, log).TryReadAsync(below, request.DependencyCheck!.MayDownload, cancellationToken);
        if (files is null)
            log.Detail(
                "The contents of the base image are not known on this machine, so the app is not checked for missing libraries. "
                    + "ImageDoctor=Full downloads it for that."
            );
        IReadOnlyList<string> missing = files is null ? [] : FindMissing(request, image, files, entries, cancellationToken);
        return new Findings(files is not null, machine, missing);
    }

    private static IReadOnlyList<string> FindMissing(
        PublishRequest request,
        Image image,
        BaseFileSystem below,
        List<LayerEntry> entries,
        CancellationToken cancellationToken
    )
    {
        var runtime = request
            .Items.Where(item => item.Origin == PublishItemOrigin.Runtime)
            .Select(item => item.RelativePath.Replace('\\', '/'))
            .ToHashSet(StringComparer.Ordinal);
        var needs = AppDependencies.Read(
            entries.Where(entry => entry.Content is FileOnDisk),
            runtime,
            request.Spec.Platform,
            request.DependencyCheck!.IsMusl,
            cancellationToken
        );
        return new DependencyCheck(request.DependencyCheck, needs, new ImageInventory(below, entries)).Findings(IsInvariant(image));
    }

    // Lines: whether the base was read, the file for another machine or nothing, and what is missing.
    private async Task<Findings?> ReadAsync(PublishRequest request, Image image, CancellationToken cancellationToken)
    {
        if (await store.Records.ReadAsync(Kind, KeyOf(request, image), cancellationToken) is not { } record)
            return null;
        var lines = Encoding.UTF8.GetString(record).Split('\n');
        return lines.Length < 2 ? null : new Findings(lines[0] == bool.TrueString, lines[1].Length == 0 ? null : lines[1], lines[2..]);
    }

    private async Task RememberAsync(PublishRequest request, Image image, Findings findings, CancellationToken cancellationToken)
    {
        var record = Encoding.UTF8.GetBytes(
            string.Join('\n', [findings.IsWhole.ToString(), findings.OtherMachine ?? "", .. findings.Missing])
        );
        if (record.Length <= CacheRecords.MaxSize)
            await store.Records.WriteAsync(Kind, KeyOf(request, image), record, cancellationToken);
    }

    private void Log(Findings findings)
    {
        Warn(DiagnosticCodes.OtherMachine, findings.OtherMachine is { } file ? [file] : []);
        Warn(DiagnosticCodes.LibraryMissing, findings.Missing);
    }

    private void Warn(DiagnosticCode code, IReadOnlyList<string> warnings)
    {
        foreach (var warning in warnings.SkipLast(1))
            log.Warning(code, warning);
        if (warnings.Count > 0)
            log.WarnOrFail(code, warnings[^1]);
    }

    internal static bool IsInvariant(Image image) =>
        image.Config.Config?.Env?.Any(variable =>
            variable.Equals("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1", StringComparison.Ordinal)
            || variable.Equals("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=true", StringComparison.OrdinalIgnoreCase)
        ) == true;

    private static string[] CommandOf(Image image) => [.. image.Config.Config?.Entrypoint ?? [], .. image.Config.Config?.Cmd ?? []];

    private static Digest KeyOf(PublishRequest request, Image image)
    {
        var app = request.DependencyCheck!;
        using var key = new DigestBuilder();
        key.Add(Version);
        key.Add((app.IsGlobalizationInvariant ? 1 : 0) | (app.UsesAspNet ? 2 : 0) | (app.IsMusl ? 4 : 0));
        key.Add(request.Spec.Platform.ToString());
        key.Add(image.ConfigBlob.Descriptor.Digest.Value);
        return key.ToDigest();
    }

    private sealed record Findings(bool IsWhole, string? OtherMachine, IReadOnlyList<string> Missing);
}
