using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Dockerfiles;
using ImagePublish.Images;
using ImagePublish.Migration;
using ImagePublish.Reporting;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks.Commands;

/// <summary>Reports what a Dockerfile and container settings become here. It changes nothing.</summary>
public sealed class CheckImageMigration : CommandTask
{
    /// <summary>The project's file.</summary>
    public string ProjectFile { get; set; } = "";

    /// <summary>The Dockerfile that the user names; empty to look for one.</summary>
    public string? Dockerfile { get; set; }

    /// <summary>The folder that the Dockerfile is built in, as Visual Studio's container tools have it; empty to find it.</summary>
    public string? DockerfileContext { get; set; }

    /// <summary>Why no image is made of the project; empty where one is.</summary>
    public string? NoApp { get; set; }

    /// <summary>Whether a solution is built: a project without a Dockerfile is no mistake there.</summary>
    public bool IsInSolution { get; set; }

    /// <summary>The .NET SDK's container settings and Visual Studio's: Value, and for items IsItem and their own metadata.</summary>
    public ITaskItem[] SdkSettings { get; set; } = [];

    /// <summary>Properties that a Dockerfile's publish may set, with their values now.</summary>
    public ITaskItem[] PublishSettings { get; set; } = [];

    /// <summary>The .NET version that the app targets.</summary>
    public string FrameworkVersion { get; set; } = "";

    /// <summary>The version of the SDK.</summary>
    public string? SdkVersion { get; set; }

    /// <summary>Whether the app uses ASP.NET.</summary>
    public bool UsesAspNet { get; set; }

    private protected override Task RunAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        if (InputParser.Optional(NoApp) is { } why)
            return NotFound(log, DiagnosticCodes.NoAppToMigrate, $"No image is made of {Path.GetFileName(ProjectFile)}: {why}.");
        var search = new DockerfileSearch(ProjectFile, AssemblyName ?? "");
        var dockerfile = InputParser.Optional(Dockerfile) is { } named ? FullPath(named) : search.Find();
        var sdk = SdkMigration.Translate(SdkSettings.Select(Setting));
        if (dockerfile is null && sdk.Count == 0)
            return NotFound(
                log,
                DiagnosticCodes.NothingToMigrate,
                $"{Path.GetFileName(ProjectFile)} has no Dockerfile beside it or in its solution's folder, and no Container… setting. "
                    + "Name the Dockerfile with ImageDockerfile; without one there is nothing to migrate."
            );
        var found = dockerfile is null
            ? []
            : DockerfileMigration.Translate(
                DockerfileReader.ReadFile(dockerfile),
                Shown(dockerfile),
                App(search.ContextOf(dockerfile, DockerfileContext))
            );
        Tell(log, dockerfile, [.. found, .. sdk]);
        return Task.CompletedTask;
    }

    private void Tell(IPublishLog log, string? dockerfile, IReadOnlyList<MigrationFinding> findings)
    {
        var from = dockerfile is null ? "container settings" : Shown(dockerfile);
        Report(
            log,
            [
                $"{Path.GetFileNameWithoutExtension(ProjectFile)}: {Text.Sanitize(from)}",
                .. MigrationTables.Of(findings, Path.GetFileName(ProjectFile)),
            ]
        );
        Items =
        [
            .. findings.Select(finding =>
                CommandItem.Create(
                    finding.Source,
                    ("Result", MigrationTables.Word(finding.State)),
                    ("Note", finding.Note.Length == 0 ? null : finding.Note),
                    ("Xml", finding.Entries.Count == 0 ? null : string.Join(' ', finding.Entries.Select(MigrationSnippet.Xml))),
                    ("File", finding.Line > 0 ? dockerfile : null),
                    ("Line", finding.Line > 0 ? finding.Line : null)
                )
            ),
        ];
    }

    private Task NotFound(IPublishLog log, DiagnosticCode code, string message)
    {
        if (!IsInSolution)
            throw new ImagePublishException(code, message);
        log.Detail(message);
        return Task.CompletedTask;
    }

    private MigrationApp App(string context)
    {
        var rid = PublishSettings.FirstOrDefault(item => item.ItemSpec == "RuntimeIdentifier")?.GetMetadata("Value");
        return new MigrationApp(
            new DotNetApp
            {
                RuntimeIdentifier = RuntimeIdentifier.TryParse(rid ?? "") ?? RuntimeIdentifier.Parse("linux-x64"),
                FrameworkVersion = FrameworkVersion,
                SdkVersion = InputParser.Optional(SdkVersion),
                AssemblyName = AssemblyName ?? "",
                UsesAspNet = UsesAspNet,
            }
        )
        {
            ProjectFolder = Path.GetDirectoryName(ProjectFile)!,
            ContextFolder = context,
            Properties = PublishSettings
                .Where(item => item.GetMetadata("Value").Length > 0)
                .ToDictionary(item => item.ItemSpec, item => item.GetMetadata("Value"), StringComparer.OrdinalIgnoreCase),
        };
    }

    private static SdkSetting Setting(ITaskItem item)
    {
        if (item.GetMetadata("IsItem") != "true")
            return new SdkSetting(item.ItemSpec, item.GetMetadata("Value"));
        var metadata = new Dictionary<string, string> { ["Type"] = item.GetMetadata("Type") };
        if (item.GetMetadata("HasValue") == "true")
            metadata["Value"] = item.GetMetadata("Value");
        return new SdkSetting(item.GetMetadata("ItemType"), item.ItemSpec, metadata);
    }

    private string Shown(string file) => Text.Sanitize(Path.GetRelativePath(Path.GetDirectoryName(ProjectFile)!, file).Replace('\\', '/'));
}
