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
/// Holds an image against the project's policy before anything of it is uploaded. What was found in its files and its settings is
/// remembered by the request and the image: a publish that changes nothing reads neither.
/// </summary>
internal sealed class PolicyStep(PublishContext context)
{
    private const string Kind = "verdicts";

    // Counts up when something more is found.
    private const int Version = 2;

    /// <summary>Repeats what was found in an image that is published already.</summary>
    /// <returns>False if that is not known on this machine.</returns>
    /// <exception cref="ImagePublishException">Something is found, and the warning is an error.</exception>
    public async Task<bool> RepeatAsync(PublishRequest request, PublishedImage published, CancellationToken cancellationToken)
    {
        if (request.Policy is not { } policy)
            return true;
        var image = published.Image;
        if (await ReadAsync(request, image.Digest, cancellationToken) is not { } found)
            return false;
        var size = policy.LimitsSize ? new ImagePolicy(policy).CheckSize(image, LayersOf(image, published.LayerNames)) : [];
        Report([.. found, .. CheckRestore(request, policy), .. size]);
        return true;
    }

    /// <summary>Judges an image by its files and settings.</summary>
    /// <param name="known">The image, if all its layers are known; otherwise null.</param>
    /// <param name="config">Its config, with or without its layers.</param>
    /// <returns>What was found in its files and settings.</returns>
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
        var found = (known is null ? null : await ReadAsync(request, known.Digest, cancellationToken))
            ?? [.. Examine(request, policy, layers, cancellationToken), .. CheckSettings(request, policy, config)];
        Report([.. found, .. CheckRestore(request, policy)]);
        return found;
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

    public async Task RememberAsync(PublishRequest request, Image image, IReadOnlyList<Finding> found, CancellationToken cancellationToken)
    {
        if (request.Policy is null)
            return;
        var record = Encoding.UTF8.GetBytes(string.Join('\n', found.Select(finding => $"{finding.Code} {finding.Message}")));
        await context.Store.Records.WriteIfSmallAsync(Kind, KeyOf(request, image.Digest), record, cancellationToken);
    }

    private IReadOnlyList<Finding> Examine(
        PublishRequest request,
        PolicyRequest policy,
        IReadOnlyList<LayerInput> layers,
        CancellationToken cancellationToken
    )
    {
        var examined = layers.Where(layer => layer.IsOnTop || !policy.IsOfVariant);
        LayerEntry[] entries = [.. examined.SelectMany(layer => layer.Entries).DistinctBy(entry => entry.Path)];
        var files = new ContentPolicy(policy, request.Items, request.Spec.Platform.Os == "windows");
        var found = files.Find(entries, cancellationToken);
        context.Log.Detail($"{entries.Length} files are checked against the policy, {files.FilesRead} of them by their content.");
        return found;
    }

    private static IEnumerable<Finding> CheckSettings(PublishRequest request, PolicyRequest policy, ImageConfig config)
    {
        var checks = new ImagePolicy(policy);
        return [.. checks.CheckBase(NamesOf(request.Base)), .. checks.CheckConfig(config)];
    }

    // Not remembered: a restore may know of vulnerabilities that an earlier one did not.
    private static IReadOnlyList<Finding> CheckRestore(PublishRequest request, PolicyRequest policy) =>
        policy.Audit?.Find(request.Items.Select(item => item.Package).OfType<string>()) ?? [];

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
        if (findings.Count == 0)
            return;
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
