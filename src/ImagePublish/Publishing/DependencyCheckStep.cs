using System.Text;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.LayerReuse;
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

    private readonly DependencyFacts facts = new(store, log);

    /// <summary>Takes the layers that will be examined. Their files are not read yet.</summary>
    public ExaminedApp Take(PublishRequest request, LayerLookups layers, TaskScope tasks)
    {
        async Task<AppDependencies> ReadAsync(CancellationToken token) =>
            await facts.ReadNeedsAsync(request, await layers.AllAsync(), token);
        return new ExaminedApp(layers, new(() => tasks.Run(ReadAsync))) { IsExamined = IsWanted(request) };
    }

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
        ExaminedApp app,
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

            var findings = await FindAsync(request, image, baseImage, app, cancellationToken);
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
        ExaminedApp app,
        CancellationToken cancellationToken
    )
    {
        var layers = await app.Layers.AllAsync();
        var entries = layers.SelectMany(layer => layer.Content.Entries).ToList();
        var machine = OtherArchitectures.Find(entries, request.Spec.Platform, CommandOf(image), cancellationToken);
        // A layer of packages that was known without its files is read like one of the base's.
        var withoutFiles = layers.Where(layer => layer.Content.Entries.Count == 0).Select(layer => layer.Known!);
        var inventory = await facts.FindInventoryAsync(
            [.. baseImage.Layers, .. withoutFiles],
            request.DependencyCheck!.MayDownload,
            cancellationToken
        );
        if (inventory is null)
        {
            log.Detail(
                "The contents of the base image are not known on this machine, so the app is not checked for missing libraries. "
                    + "ImageDoctor=Full downloads it for that."
            );
            return new Findings(IsWhole: false, machine, []);
        }

        inventory.Add(entries);
        var check = new DependencyCheck(request.DependencyCheck, await app.Needs.Value, inventory);
        return new Findings(IsWhole: true, machine, check.Findings(IsInvariant(image)));
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
        await store.Records.WriteIfSmallAsync(Kind, KeyOf(request, image), record, cancellationToken);
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

/// <summary>The layers of an app, and what their files need.</summary>
internal sealed record ExaminedApp(LayerLookups Layers, Lazy<Task<AppDependencies>> Needs)
{
    public required bool IsExamined { get; init; }

    /// <summary>Begins to read the files, beside what else a publish does.</summary>
    public void BeginReading()
    {
        if (IsExamined)
            _ = Needs.Value;
    }
}
