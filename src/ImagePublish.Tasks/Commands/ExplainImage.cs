using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Reporting;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks.Commands;

/// <summary>Reports each setting of the project's image, and where its value comes from.</summary>
public sealed class ExplainImage : CommandTask
{
    /// <summary>The project's name, for messages.</summary>
    public string ProjectName { get; set; } = "";

    /// <summary>The project's file.</summary>
    public string ProjectFile { get; set; } = "";

    /// <summary>The folder of .NET, whose files belong to the SDK.</summary>
    public string SdkFolder { get; set; } = "";

    /// <summary>NuGet's folders of packages.</summary>
    public string[] PackageFolders { get; set; } = [];

    /// <summary>Settings with the properties that are asked for them (From), each as metadata of its name; Value, Default.</summary>
    public ITaskItem[] Explained { get; set; } = [];

    /// <summary>The .NET version that the app targets.</summary>
    public string FrameworkVersion { get; set; } = "";

    /// <summary>The version of the SDK.</summary>
    public string? SdkVersion { get; set; }

    /// <summary>Whether the app uses ASP.NET.</summary>
    public bool UsesAspNet { get; set; }

    /// <summary>Whether the app brings its runtime.</summary>
    public bool IsSelfContained { get; set; }

    /// <summary>Whether it is compiled ahead of time.</summary>
    public bool IsAot { get; set; }

    /// <summary>Whether it is trimmed.</summary>
    public bool IsTrimmed { get; set; }

    /// <summary>Whether it has no cultures.</summary>
    public bool IsGlobalizationInvariant { get; set; }

    /// <summary>What is appended to the default base's tag.</summary>
    public string? BaseFamily { get; set; }

    /// <summary>Environment variables of the image.</summary>
    public ITaskItem[] EnvironmentVariables { get; set; } = [];

    /// <summary>Labels of the image.</summary>
    public ITaskItem[] Labels { get; set; } = [];

    /// <summary>Ports of the image.</summary>
    public ITaskItem[] Ports { get; set; } = [];

    /// <summary>Volumes of the image.</summary>
    public ITaskItem[] Volumes { get; set; } = [];

    /// <summary>Words of the entry point.</summary>
    public ITaskItem[] Entrypoint { get; set; } = [];

    /// <summary>Words of the command.</summary>
    public ITaskItem[] Command { get; set; } = [];

    /// <summary>Words of the health check.</summary>
    public ITaskItem[] Healthcheck { get; set; } = [];

    /// <summary>Files, folders and links that are added.</summary>
    public ITaskItem[] Files { get; set; } = [];

    /// <summary>Packages of the operating system.</summary>
    public ITaskItem[] Packages { get; set; } = [];

    /// <summary>Files that deploy the image.</summary>
    public ITaskItem[] Manifests { get; set; } = [];

    private protected override Task RunAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        var given = BuildEngine is IBuildEngine6 engine ? engine.GetGlobalProperties() : new Dictionary<string, string>();
        var origins = new SettingOrigins(ProjectFile, ProjectEvaluation.Read(BuildEngine)?.Imports ?? [], [.. given.Keys])
        {
            SdkFolder = SdkFolder,
            PackageFolders = PackageFolders,
        };
        var settings = Explained.Select(item => Explain(item, origins)).OfType<ExplainedSetting>().Concat(ItemSettings(origins)).ToList();
        var table = new TextTable("Setting", "Value", "From");
        foreach (var setting in settings)
            table.Add(setting.Name, setting.Value, setting.Source);
        Report(log, [$"{ProjectName}:", .. table.Lines()]);
        Items =
        [
            .. settings.Select(setting =>
                CommandItem.Create(
                    setting.Name,
                    ("Value", setting.Value),
                    ("Source", setting.Source),
                    ("Property", setting.Property),
                    ("File", setting.File),
                    ("Line", setting.Line > 0 ? setting.Line : null)
                )
            ),
        ];
        return Task.CompletedTask;
    }

    private ExplainedSetting? Explain(ITaskItem item, SettingOrigins origins)
    {
        var property = InputParser.Words(item.GetMetadata("From")).FirstOrDefault(name => Given(item, name) is not null);
        var value = InputParser.Optional(item.GetMetadata("Value")) ?? (property is null ? null : Given(item, property));
        var shown = Computed(item.ItemSpec) ?? (item.GetMetadata("IsSecret") == "true" && value is not null ? "set" : value);
        if (property is not null)
            return origins.Find(property, Given(item, property)!) with { Name = item.ItemSpec, Value = Text.Sanitize(shown!) };
        var fallback = InputParser.Optional(item.GetMetadata("Default"));
        return (shown ?? fallback) is { } text
            ? new ExplainedSetting(item.ItemSpec, text, Default(item.ItemSpec, shown is null ? null : fallback))
            : null;
    }

    private static string? Given(ITaskItem item, string name) => InputParser.Optional(item.GetMetadata(name));

    // What a publish makes of the properties.
    private string? Computed(string setting) =>
        setting switch
        {
            "registry" => ImageNames.Whole(Name)?.Repository.Registry.Host,
            "repository" => ImageNames.LocalNameOf(this),
            "tags" => string.Join(' ', new ImageNames(this).Tags(Commit().TagContext(this, RuntimeIdentifier)).Select(tag => tag.Value)),
            "base" when Base() is { } reference => reference,
            "revision" => Commit().Revision,
            "created" => Text.Rfc3339(Commit().Created),
            _ => null,
        };

    private string Default(string setting, string? why) =>
        setting switch
        {
            "base" => $"default, for an app {Kind()}",
            "revision" or "created" when Commit().Revision is null => "default",
            "revision" or "created" => new CiRef(TaskEnvironment.Variable).Revision is null ? "source control" : "the CI system",
            _ => why is null ? "default" : $"default: {why}",
        };

    private string? RuntimeIdentifier => InputParser.Words(RuntimeIdentifiers) is [var only] ? only : null;

    private GitInfo Commit() => GitInfo.Read(this);

    private string? Base()
    {
        var item = Explained.First(setting => setting.ItemSpec == "base");
        if (InputParser.Words(item.GetMetadata("From")).Any(name => Given(item, name) is not null))
            return null;
        var app = new DotNetApp
        {
            RuntimeIdentifier = Images.RuntimeIdentifier.Parse(InputParser.Words(RuntimeIdentifiers)[0]),
            FrameworkVersion = FrameworkVersion,
            SdkVersion = InputParser.Optional(SdkVersion),
            AssemblyName = AssemblyName ?? "",
            UsesAspNet = UsesAspNet,
            IsSelfContained = IsSelfContained,
            IsAot = IsAot,
            IsTrimmed = IsTrimmed,
            IsGlobalizationInvariant = IsGlobalizationInvariant,
        };
        return app.DefaultBase(InputParser.Optional(BaseFamily)).ToString();
    }

    private string Kind() =>
        (UsesAspNet ? "of ASP.NET" : "without ASP.NET")
        + (
            IsAot ? ", compiled ahead of time"
            : IsSelfContained ? " that brings its runtime"
            : " that uses the base's runtime"
        );

    private IEnumerable<ExplainedSetting> ItemSettings(SettingOrigins origins) =>
        from kind in (IEnumerable<(string Name, string Item, ITaskItem[] Items)>)
            [
                ("entry point", "ImageEntrypoint", Entrypoint),
                ("command", "ImageCommand", Command),
                ("environment", "ImageEnvironmentVariable", EnvironmentVariables),
                ("port", "ImagePort", Ports),
                ("volume", "ImageVolume", Volumes),
                ("label", "ImageLabel", Labels),
                ("health check", "ImageHealthcheck", Healthcheck),
                ("file", "ImageFile", Files),
                ("package", "ImagePackage", Packages),
                ("manifest", "ImageManifest", Manifests),
            ]
        from item in kind.Items
        // Values of variables may be secret: whoever may see them finds them in the image.
        select origins.Find(ItemLocations.Locate(item, kind.Item)) with
        {
            Name = kind.Name,
            Value = Text.Sanitize(item.ItemSpec),
        };
}
