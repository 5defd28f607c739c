using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Reporting;
using ImagePublish.Storage;
using ImagePublish.Tasks.Ci;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>The base of tasks that deliver an image or an index: destinations, tags, and how the result is reported.</summary>
public abstract partial class PublishTask : ImageNameTask, ISigningInputs
{
    /// <summary>The project's name, for messages.</summary>
    public string ProjectName { get; set; } = "";

    /// <summary>The file that the result is written to as JSON.</summary>
    public string ResultFile { get; set; } = "";

    /// <summary>The HTML page that is written about the image; empty for none.</summary>
    public string? Report { get; set; }

    /// <summary>Tags and templates of tags.</summary>
    public string? Tags { get; set; }

    /// <summary>Annotations (Value, Scope).</summary>
    public ITaskItem[] Annotations { get; set; } = [];

    /// <summary>Whether tags that exist may be moved.</summary>
    public bool TagOverwrite { get; set; } = true;

    /// <summary><c>Referrers</c>, <c>Index</c> or <c>None</c>: where attestations are.</summary>
    public string? Attestations { get; set; }

    /// <summary>Whether provenance is attested: who built the image, how, and of what.</summary>
    public bool Provenance { get; set; }

    /// <summary>The file of a private key that the image is signed with, <c>env:NAME</c>, a program or a plugin that signs, or
    /// <c>keyless</c>; empty signs nothing.</summary>
    public string? SigningKey { get; set; }

    /// <summary>The file of the certificates of the signing key, or <c>env:NAME</c>: for Notation.</summary>
    public string? SigningCertificate { get; set; }

    /// <summary>What a plugin of notation is told (name=value, divided by <c>;</c>).</summary>
    public string? SigningPluginConfig { get; set; }

    /// <summary>Whether attestations are signed too, each by itself.</summary>
    public bool SignAttestations { get; set; }

    /// <summary>The trusted root of an instance of sigstore; empty for the public one.</summary>
    public string? SigstoreRoot { get; set; }

    /// <summary>The signing config of an instance of sigstore, which names its services; empty for those of the root.</summary>
    public string? SigstoreSigningConfig { get; set; }

    /// <summary>The authority of signing certificates; empty for the root's.</summary>
    public string? FulcioUrl { get; set; }

    /// <summary>The public log of signatures; empty for the root's.</summary>
    public string? RekorUrl { get; set; }

    /// <summary>The authority of time-stamps; empty for none.</summary>
    public string? TimeStampUrl { get; set; }

    /// <summary><c>Bundle</c>, <c>Tag</c>, <c>Both</c>, <c>Notation</c>, <c>NotationCose</c>, or several of them: the forms of
    /// signatures.</summary>
    public string? SignatureFormat { get; set; }

    /// <summary>Whether to only report what would be done.</summary>
    public bool DryRun { get; set; }

    /// <summary>Where the image is now, or with <see cref="DryRun"/> would be: an item for each destination, by digest.</summary>
    [Output]
    public ITaskItem[] PublishedImages { get; private set; } = [];

    /// <summary>The image's digest.</summary>
    [Output]
    public string ImageDigest { get; private set; } = "";

    /// <summary>The image's reference by digest at the first destination.</summary>
    [Output]
    public string ImageReference { get; private set; } = "";

    internal override string? TagsOfProject => Tags;

    string ISigningInputs.ResolvePath(string path) => FullPath(path);

    internal override string LogName => ProjectName;

    private protected override Task StartAsync(IPublishLog log, CancellationToken cancellationToken) =>
        BuildTrace.IsOn(this)
            ? BuildTrace.RunAsync(this, log, () => ExecuteAsync(log, cancellationToken), cancellationToken)
            : ExecuteAsync(log, cancellationToken);

    internal override string? LeftAlone => isPublished ? "the image itself is published" : "no tag was moved";

    /// <summary>Reports what was delivered: in the log, as items and properties, and as JSON.</summary>
    internal void ReportResult(ITaskItem[] images, IEnumerable<string> summary, byte[] json, IPublishLog log)
    {
        PublishedImages = images;
        ImageDigest = images[0].GetMetadata("Digest");
        ImageReference = images[0].ItemSpec;
        foreach (var line in summary)
            log.Information(line);
        WholeFile.Write(FullPath(ResultFile), "result", json);
    }

    /// <summary>
    /// Makes sure that no other project of the build publishes under the same name: which of them the tag is of in the end would be chance.
    /// </summary>
    /// <exception cref="ImagePublishException"><c>IMG1041</c>: another project does.</exception>
    internal async Task ClaimAsync(
        IReadOnlyList<Oci.Repository> repositories,
        ImageStore store,
        string localName,
        IReadOnlyList<Oci.Tag> tags,
        CancellationToken cancellationToken
    )
    {
        var claims = BuildClaims.Find(BuildEngine4);
        var places = repositories.Count == 0 ? [localName] : repositories.Select(repository => repository.ToString());
        var scope = repositories.Count == 0 ? $"{store.Folder} " : "";
        foreach (var name in places.SelectMany(place => tags.Select(tag => $"{place}:{tag}")))
        {
            if (await claims.ClaimAsync(scope + name, FullPath(ProjectName), cancellationToken) is not { } other)
                continue;
            throw new ImagePublishException(
                DiagnosticCodes.NameTaken,
                $"{Path.GetFileName(other)} and {ProjectName} both publish '{name}' in this build. Nothing of {ProjectName} was published. "
                    + "Give each its own ImageRepository, or set ImageRepositoryPrefix for all of them."
            );
        }
    }

    /// <summary>Where warnings are errors, makes sure that <see cref="ReportToCi"/> will succeed: afterwards it is too late.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3003</c>: a file of the CI system can't be written.</exception>
    internal static void CheckCi(IPublishLog log)
    {
        var outputs = new CiOutputs(TaskEnvironment.Variable, ((TaskLog)log).Command, log);
        if (!outputs.IsCi || !log.IsError(DiagnosticCodes.DiskFailed))
            return;
        try
        {
            outputs.Check();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ImagePublishException(
                DiagnosticCodes.DiskFailed,
                $"The image's outputs can't be written for the CI system, and warnings are errors: {exception.Message} "
                    + "Nothing was published.",
                exception
            );
        }
    }

    /// <summary>Reports to the CI system, where there is one, and to the summary of the build.</summary>
    internal void ReportToCi(ProjectSummary summary, Func<string> markdown, IPublishLog log)
    {
        var outputs = new CiOutputs(TaskEnvironment.Variable, ((TaskLog)log).Command, log);
        var table = outputs.IsCi ? markdown() : null;
        var isSummedUp = TryRecord(summary, table, (TaskLog)log);
        if (!outputs.IsCi)
            return;
        try
        {
            var page = Path.ChangeExtension(FullPath(ResultFile), ".md");
            // Commands to an agent can be printed by the process that prints the log, and by no other.
            outputs.Write(ProjectName, PublishedImages[0], isSummedUp && (BuildIsLog || !outputs.IsAzure) ? null : table, page);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            var message = $"The image is published, but its outputs could not be written for the CI system: {exception.Message}";
            // A build that fails after it has moved tags misleads more than a line that is missed.
            if (log.IsError(DiagnosticCodes.DiskFailed))
                log.Information(message);
            else
                log.Warning(DiagnosticCodes.DiskFailed, message);
        }
    }

    /// <summary>Writes the page about what was delivered.</summary>
    internal void WriteReport(byte[] page, IPublishLog log)
    {
        WholeFile.Write(FullPath(Report!), "report", page);
        log.Information($"  The report is in {FullPath(Report!)}");
    }
}
