using System.Text;
using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Policies;
using ImagePublish.Requests;
using ImagePublish.UpToDate;

namespace ImagePublish.Publishing;

/// <summary>
/// Holds an image against the project's policy before anything of it is uploaded. What was found in its files is remembered by the request
/// and the image: a publish that changes nothing reads no file for it.
/// </summary>
internal sealed class PolicyStep(PublishContext context)
{
    private const string Kind = "verdicts";

    // Counts up when something more is found.
    private const int Version = 1;

    /// <summary>Repeats what was found in an image that is published already.</summary>
    /// <returns>False if that is not known on this machine.</returns>
    /// <exception cref="ImagePublishException">Something is found, and the warning is an error.</exception>
    public async Task<bool> RepeatAsync(PublishRequest request, PublishedImage published, CancellationToken cancellationToken)
    {
        if (request.Policy is not { } policy)
            return true;
        var image = published.Image;
        if (await ReadAsync(request, image.Digest, cancellationToken) is not { } content)
            return false;
        var size = new ImagePolicy(policy).CheckSize(image, LayersOf(image, published.LayerNames));
        Report([.. content, .. CheckSettings(request, policy, image.Config), .. size]);
        return true;
    }

    /// <summary>Judges an image by its files and settings.</summary>
    /// <param name="known">The image, if all its layers are known; otherwise null.</param>
    /// <param name="config">Its config, with or without its layers.</param>
    /// <returns>What was found in its files.</returns>
    /// <exception cref="ImagePublishException">Something is found, and the warning is an error.</exception>
    public async Task<IReadOnlyList<Finding>> JudgeAsync(
        PublishRequest request,
        IReadOnlyList<LayerInput> layers,
        Image? known,
        ImageConfig config,
        CancellationToken cancellationToken
    )
    {
        if (request.Policy is not { } policy)
            return [];
        var content = (known is null ? null : await ReadAsync(request, known.Digest, cancellationToken))
            ?? Examine(request, policy, layers, cancellationToken);
        Report([.. content, .. CheckSettings(request, policy, config)]);
        return content;
    }

    /// <summary>Whether an image may be refused because of its size: then nothing of it is uploaded before it is whole.</summary>
    public bool MayRefuseSize(PublishRequest request) =>
        request.Policy?.LimitsSize == true
        && (context.Log.IsError(DiagnosticCodes.ImageTooLarge) || context.Log.IsError(DiagnosticCodes.ImageGrew));

    /// <exception cref="ImagePublishException">It is too large, and the warning is an error.</exception>
    public async Task CheckSizeAsync(PublishRequest request, Image image, IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        if (request.Policy is not { LimitsSize: true } policy)
            return;
        var (checks, layers) = (new ImagePolicy(policy), LayersOf(image, names));
        var before = policy.MaxGrowth is null ? null : await new CurrentImages(context).FindAsync(request, cancellationToken);
        Report([
            .. checks.CheckSize(image, layers),
            .. before is null ? [] : checks.CheckGrowth(image, before.Name, before.Image.Size, layers),
        ]);
    }

    public async Task RememberAsync(
        PublishRequest request,
        Image image,
        IReadOnlyList<Finding> content,
        CancellationToken cancellationToken
    )
    {
        if (request.Policy is null)
            return;
        var record = Encoding.UTF8.GetBytes(string.Join('\n', content.Select(finding => $"{finding.Code} {finding.Message}")));
        if (record.Length <= Storage.CacheRecords.MaxSize)
            await context.Store.Records.WriteAsync(Kind, KeyOf(request, image.Digest), record, cancellationToken);
    }

    private IReadOnlyList<Finding> Examine(
        PublishRequest request,
        PolicyRequest policy,
        IReadOnlyList<LayerInput> layers,
        CancellationToken cancellationToken
    )
    {
        LayerEntry[] entries = [.. layers.SelectMany(layer => layer.Entries).DistinctBy(entry => entry.Path)];
        var files = new ContentPolicy(policy, request.Items, request.Spec.Platform.Os == "windows");
        var found = files.Find(entries, cancellationToken);
        context.Log.Detail($"{entries.Length} files are held against the policy, {files.FilesRead} of them by their content.");
        return found;
    }

    private static IEnumerable<Finding> CheckSettings(PublishRequest request, PolicyRequest policy, ImageConfig config)
    {
        var packages = request.Items.Select(item => item.Package).OfType<string>().ToHashSet(StringComparer.OrdinalIgnoreCase);
        var checks = new ImagePolicy(policy);
        return [.. checks.CheckBase(NamesOf(request.Base)), .. checks.CheckConfig(config), .. policy.Audit?.Find(packages) ?? []];
    }

    private static string[] NamesOf(ImageSource source) =>
        source switch
        {
            RegistryImage { Reference: var reference } => [reference.ToString(), reference.Repository.ToString()],
            OfflineImage { Reference: var reference } => [reference.ToString(), reference.Repository.ToString()],
            StoreImage store => [$"store:{store}"],
            _ => [source.ToString()!],
        };

    private static List<(string Name, long Size)> LayersOf(Image image, IReadOnlyList<string> names)
    {
        var first = image.Layers.Count - names.Count;
        return
        [
            .. image.Layers.Select(
                (layer, index) => (index >= first ? names[index - first] : PublishResult.BaseLayer, layer.Descriptor.Size)
            ),
        ];
    }

    // Where several fail the build, all are said: the last one ends it.
    private void Report(IReadOnlyList<Finding> findings)
    {
        var ordered = findings.OrderBy(finding => context.Log.IsError(finding.Code)).ToList();
        foreach (var finding in ordered.SkipLast(1))
            context.Log.Warning(finding.Code, finding.Message);
        if (ordered is [.., var last])
            context.Log.WarnOrFail(last.Code, last.Message);
    }

    private async Task<IReadOnlyList<Finding>?> ReadAsync(PublishRequest request, Digest image, CancellationToken cancellationToken)
    {
        if (await context.Store.Records.ReadAsync(Kind, KeyOf(request, image), cancellationToken) is not { } record)
            return null;
        var lines = Encoding.UTF8.GetString(record).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return
        [
            .. from line in lines
            from code in DiagnosticCodes.All
            where line.StartsWith(code.Id + " ", StringComparison.Ordinal)
            select new Finding(code, line[(code.Id.Length + 1)..]),
        ];
    }

    private static Digest KeyOf(PublishRequest request, Digest image)
    {
        using var key = new DigestBuilder();
        key.Add(Version);
        key.Add(RequestFingerprint.Compute(request).Value);
        key.Add(image.Value);
        return key.ToDigest();
    }
}
