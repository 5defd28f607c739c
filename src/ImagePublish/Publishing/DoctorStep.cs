using System.Text;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Packages.Doctor;
using ImagePublish.Storage;

namespace ImagePublish.Publishing;

/// <summary>Warns of what the app needs and the image lacks, instead of a crash in production. What it found of an image is remembered by the image's layers.</summary>
/// <param name="store">Where findings are remembered.</param>
/// <param name="log">Told what is missing.</param>
internal sealed class DoctorStep(ImageStore store, IEngineLog log)
{
    private const string Kind = "findings";

    // Counts up when the doctor learns something.
    private const int Version = 2;

    /// <summary>Tells again what was found of an image.</summary>
    /// <param name="request">What is published.</param>
    /// <param name="image">The image.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Whether the image was examined before.</returns>
    public async Task<bool> RepeatAsync(PublishRequest request, Image image, CancellationToken cancellationToken)
    {
        if (request.Doctor is not { } doctor || request.Spec.Platform.Os != "linux")
            return true;
        if (await store.Records.ReadAsync(Kind, KeyOf(doctor, image), cancellationToken) is not { } record)
            return false;
        Tell(Encoding.UTF8.GetString(record).Split('\n', StringSplitOptions.RemoveEmptyEntries));
        return true;
    }

    /// <summary>Examines an image: one that was published, or one that is not to be published where the warning is an error.</summary>
    /// <param name="request">What is published.</param>
    /// <param name="image">The image.</param>
    /// <param name="baseImage">What it lies on.</param>
    /// <param name="candidates">The layers above the base.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>When it is done; nothing is examined where the base's files are not at hand.</returns>
    /// <exception cref="ImagePublishException"><c>IMG6011</c>: a library is missing, and the warning of it is an error.</exception>
    public async Task ExamineAsync(PublishRequest request, Image image, BaseImage baseImage, IReadOnlyList<LayerProducer.Candidate> candidates, CancellationToken cancellationToken)
    {
        try
        {
            if (await RepeatAsync(request, image, cancellationToken))
                return;
            // A layer of packages that was known without its files is read like one of the base's.
            var below = baseImage.Layers.Concat(candidates.Where(candidate => candidate.Content.Entries.Count == 0).Select(candidate => candidate.Known!));
            if (await new BaseFiles(store, log).TryReadAsync(below, request.Doctor!.MayDownload, cancellationToken) is { } files)
                await RememberAsync(request.Doctor, image, Find(request, image, files, candidates, cancellationToken), cancellationToken);
            else
                log.Detail("What the base image has is not known on this machine, so it is not seen whether the app lacks a library. ImageDoctor=Full downloads it to see.");
        }
        catch (Exception exception) when (exception is ImagePublishException { Code: var code } ? code != DiagnosticCodes.LibraryMissing : exception is IOException or UnauthorizedAccessException)
        {
            // Who only looks at an image may not keep it from being published.
            log.Detail($"It is not seen whether the app lacks a library: {Text.Shown(exception.Message)}");
        }
    }

    private static IReadOnlyList<string> Find(PublishRequest request, Image image, BaseFileSystem below, IEnumerable<LayerProducer.Candidate> candidates, CancellationToken cancellationToken)
    {
        var entries = candidates.SelectMany(candidate => candidate.Content.Entries).ToList();
        var runtime = request.Items.Where(item => item.Origin == PublishItemOrigin.Runtime).Select(item => item.RelativePath.Replace('\\', '/')).ToHashSet(StringComparer.Ordinal);
        var needs = AppNeeds.Read(entries.Where(entry => entry.Content is FileOnDisk), runtime, request.Spec.Platform, request.Doctor!.IsMusl, cancellationToken);
        return new Examination(request.Doctor, needs, new ImageFacts(below, entries)).Findings(IsInvariant(image));
    }

    private async Task RememberAsync(DoctorRequest doctor, Image image, IReadOnlyList<string> findings, CancellationToken cancellationToken)
    {
        var record = Encoding.UTF8.GetBytes(string.Join('\n', findings));
        if (record.Length <= CacheRecords.MaxSize)
            await store.Records.WriteAsync(Kind, KeyOf(doctor, image), record, cancellationToken);
        Tell(findings);
    }

    private void Tell(IReadOnlyList<string> findings)
    {
        foreach (var finding in findings.SkipLast(1))
            log.Warning(DiagnosticCodes.LibraryMissing, finding);
        if (findings.Count > 0)
            log.WarnOrFail(DiagnosticCodes.LibraryMissing, findings[^1]);
    }

    private static bool IsInvariant(Image image) => image.Config.Config?.Env?.Any(variable =>
        variable.Equals("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1", StringComparison.Ordinal) || variable.Equals("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=true", StringComparison.OrdinalIgnoreCase)) == true;

    private static Digest KeyOf(DoctorRequest doctor, Image image)
    {
        using var key = new DigestBuilder();
        key.Add(Version);
        key.Add((doctor.IsGlobalizationInvariant ? 1 : 0) | (doctor.UsesAspNet ? 2 : 0) | (doctor.IsMusl ? 4 : 0) | (IsInvariant(image) ? 8 : 0));
        key.Add([.. image.Config.RootFs.DiffIds.Select(layer => layer.ToString())]);
        return key.ToDigest();
    }
}
