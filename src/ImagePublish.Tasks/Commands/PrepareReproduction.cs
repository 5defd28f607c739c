using System.Globalization;
using ImagePublish.Attachments;
using ImagePublish.Bases;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Reproducing;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks.Commands;

/// <summary>Reads the image that a build is to be compared with, and decides what of the build it determines.</summary>
public sealed class PrepareReproduction : CommandTask
{
    private const string RevisionLabel = "org.opencontainers.image.revision";
    private const int MaxNamed = 3;

    /// <summary>Where the tasks of this command hand documents to each other.</summary>
    public string Folder { get; set; } = "";

    /// <summary>The mirror of Microsoft's registry; empty for that of the environment, if it names one.</summary>
    public string? BaseRegistry { get; set; }

    /// <summary>The version of the SDK.</summary>
    public string? SdkVersion { get; set; }

    /// <summary>Images that were published elsewhere: then nothing is built here.</summary>
    public string? IndexFrom { get; set; }

    /// <summary>Whether the project says that it is built as CI systems do.</summary>
    public string? ContinuousIntegrationBuild { get; set; }

    /// <summary>What the project says of the commit that names its sources.</summary>
    public string? ImageRevision { get; set; }

    /// <summary>Whether a publish builds the configuration Release where none is named.</summary>
    public string? PublishRelease { get; set; }

    /// <summary>Global properties of the build, as MSBuild's <c>Name=value;…</c>.</summary>
    [Output]
    public string BuildProperties { get; private set; } = "";

    private protected override async Task RunAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        var names = new CommandNames(this);
        await names.ResolveArchiveNameAsync(cancellationToken);
        var source = names.Source ?? names.ProjectImage;
        var registries = Connect(names.Source is null ? RegistriesOf(source) : names.Registries).Registries;
        var opener = new ImageOpener(registries, OpenStore());
        var content = await opener.OpenAsync(source, cancellationToken);
        var name = source.ToString()!;
        if (InputParser.Optional(IndexFrom) is not null)
            throw NamedImage.NotComparable(name, "ImageIndexFrom joins images that were built elsewhere", "Compare each of them");
        var image = await NamedImage.LoadAsync(name, content, cancellationToken);
        image.Check([.. InputParser.Words(RuntimeIdentifiers).Select(RuntimeIdentifier.Parse).Select(one => one.Platform)]);
        if (!Offline)
            await Reproducer.CheckBasesAsync(image, opener.Documents, LocateBase, cancellationToken);
        var plan = await AddProvenanceAsync(await PlanAsync(source, image, log), content, cancellationToken);
        var folder = new ReproductionFolder(FullPath(Folder));
        folder.Write(plan);
        if (MediaTypes.IsIndex(image.Root.Descriptor.MediaType))
            folder.WriteNamed(image.Root.Content);
        BuildProperties = string.Join(';', await PropertiesAsync(plan, image, log, cancellationToken));
    }

    private static IEnumerable<Registry> RegistriesOf(ImageSource source) =>
        source is RegistryImage remote ? [remote.Reference.Repository.Registry] : [];

    private Reference LocateBase(Reference reference) => BaseMirror.Apply(new RegistryImage(reference), BaseRegistry).Location;

    private async Task<ReproductionPlan> PlanAsync(ImageSource source, NamedImage image, IPublishLog log)
    {
        var digest = image.Root.Descriptor.Digest;
        var history = GitHistory.Find(BuildEngine4, FullPath("."));
        var head = history is null ? null : await history.GetHeadAsync();
        var changed = history is null ? [] : (await history.GetWorkingTreeAsync()).Changed.Where(path => !IsBuilt(path)).ToList();
        CheckCheckout(image, history is null, head, changed, log);
        return new ReproductionPlan
        {
            Name = image.Name,
            // A tag may move during the build.
            Source = source is RegistryImage remote
                ? remote.Reference.Repository.ReferenceTo(digest).ToString()
                : InputParser.Optional(Source) ?? image.Name,
            Digest = digest.ToString(),
            Head = head?.Revision,
            Changed = changed,
            Root = history?.Root,
            Sdk = InputParser.Optional(SdkVersion),
            Tool = AttestationRequestReader.ToolVersion,
        };
    }

    // What builds write need not be in .gitignore.
    private static bool IsBuilt(string path) => path.Split('/').Any(part => part is "obj" or "bin");

    private static string? RevisionOf(NamedImage image) => image.Platforms[0].Config.Config?.Labels?.GetValueOrDefault(RevisionLabel);

    private static void CheckCheckout(NamedImage image, bool hasNoGit, GitAnswer? head, List<string> changed, IPublishLog log)
    {
        var revision = RevisionOf(image);
        if (hasNoGit && revision is not null)
            log.Warning(
                DiagnosticCodes.CheckoutUnsuited,
                $"'{Text.Sanitize(image.Name)}' was built of commit {Text.Sanitize(revision)}, and this folder is in no git checkout: "
                    + "whether it has that commit's files is not known, and the commit is missing in what is built. Build in a clone."
            );
        else if (changed.Count > 0)
            log.Warning(
                DiagnosticCodes.CheckoutUnsuited,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{changed.Count} files are not as commit {head?.Revision ?? "HEAD"} has them: {Shown(changed)}. What is built here "
                ) + "may differ for that. Commit, stash or remove them."
            );
    }

    private static string Shown(List<string> files) =>
        string.Join(", ", files.Take(MaxNamed).Select(file => $"'{Text.Sanitize(file)}'")) + (files.Count > MaxNamed ? ", …" : "");

    // What is attached can't be trusted more than the image, and explains differences only.
    private static async Task<ReproductionPlan> AddProvenanceAsync(
        ReproductionPlan plan,
        IImageContent content,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var reader = new AttestationReader(content);
            foreach (var attachment in await reader.ListAsync(cancellationToken))
            {
                if (await reader.ReadProvenanceAsync(attachment, cancellationToken) is { Tool: not null } provenance)
                    return plan with { NamedSdk = provenance.Sdk, NamedTool = provenance.Tool };
            }
        }
        catch (ImagePublishException exception)
        {
            BuildSession.TaskLog.Detail($"The provenance of {plan.Name} is not read: {exception.Message}");
        }

        return plan;
    }

    private async Task<List<string>> PropertiesAsync(
        ReproductionPlan plan,
        NamedImage image,
        IPublishLog log,
        CancellationToken cancellationToken
    )
    {
        var given = BuildEngine is IBuildEngine6 engine ? engine.GetGlobalProperties() : new Dictionary<string, string>();
        var properties = new List<string>();
        if (!given.ContainsKey("Configuration") && PublishRelease == "true")
            properties.Add("Configuration=Release");
        if (
            string.IsNullOrEmpty(ContinuousIntegrationBuild)
            && await CompiledFolder.IsMappedAsync(image, AssemblyName, cancellationToken) == true
        )
        {
            log.Information("The image was built with ContinuousIntegrationBuild: so is this build.");
            properties.Add("ContinuousIntegrationBuild=true");
        }

        // A commit that changed nothing of the project's inputs may come after the one that the image names.
        if (string.IsNullOrEmpty(ImageRevision) && plan.Head is not null && RevisionOf(image) is { } revision)
            properties.Add(revision == plan.Head ? "ImageRevision=Head" : "ImageRevision=Inputs");
        return properties;
    }
}
