using ImagePublish.Diagnostics;
using ImagePublish.Storage;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks.Commands;

/// <summary>What the tasks share that read and change images without publishing: which image, and where.</summary>
public abstract class CommandTask : ImageTask, IImageInputs, IRegistryInputs
{
    /// <summary>The image to read; empty for the project's own.</summary>
    public string? Source { get; set; }

    /// <summary>One or more registry hosts; empty for the local store.</summary>
    public string? Registry { get; set; }

    /// <summary>The prefix of all repositories' names.</summary>
    public string? RepositoryPrefix { get; set; }

    /// <summary>The repository's name in the registry.</summary>
    public string? Repository { get; set; }

    /// <summary>Registry, repository and tag in one.</summary>
    public string? Name { get; set; }

    /// <summary>Tags that the user names for this command.</summary>
    public string? Tags { get; set; }

    /// <summary>Tags and templates of the project's own image, from whichever property they come.</summary>
    public string? ProjectTags { get; set; }

    /// <summary>Which tags the project's own image has where none are named.</summary>
    public string? TagPolicy { get; set; }

    /// <summary>The image's instant; empty for SOURCE_DATE_EPOCH, else the commit's.</summary>
    public string? Created { get; set; }

    /// <summary>The time of the commit that the revision names, in seconds since 1970; empty for that of HEAD.</summary>
    public string? RevisionTime { get; set; }

    /// <summary>The build configuration.</summary>
    public string? Configuration { get; set; }

    /// <summary>The commit; empty asks git.</summary>
    public string? Revision { get; set; }

    /// <summary>The branch; empty asks git.</summary>
    public string? Branch { get; set; }

    /// <summary>The platforms of the project's own image.</summary>
    public string? RuntimeIdentifiers { get; set; }

    /// <summary>The local store's folder; empty for the user's own.</summary>
    public string? Store { get; set; }

    /// <summary>Whether other users use the store too, and are trusted.</summary>
    public bool StoreShared { get; set; }

    /// <summary>Registries that may be reached by plain http.</summary>
    public string? InsecureRegistries { get; set; }

    /// <summary>Hosts of token services that get every registry's credentials.</summary>
    public string? TrustedTokenHosts { get; set; }

    /// <summary>Hosts that registries may lead to although they are inside this machine or network.</summary>
    public string? TrustedRedirectHosts { get; set; }

    /// <summary>Hosts that get passwords and tokens over plain http too.</summary>
    public string? PlainTextCredentials { get; set; }

    /// <summary>Whether the build's identity signs in to registries of clouds: <c>auto</c>, <c>true</c>, <c>false</c>.</summary>
    public string? CloudIdentity { get; set; }

    /// <summary>Whether nothing may be asked of a registry.</summary>
    public bool Offline { get; set; }

    /// <summary>The project's name, which its image is called after.</summary>
    public string? AssemblyName { get; set; }

    /// <summary>The project's version, which its image's tag is made of.</summary>
    public string? Version { get; set; }

    /// <summary>The file that the result is written to as JSON; empty for none.</summary>
    public string? ResultFile { get; set; }

    /// <summary>What was found or done, for scripts.</summary>
    [Output]
    public ITaskItem[] Results { get; private set; } = [];

    /// <summary>The results, before they become text.</summary>
    internal IReadOnlyList<CommandItem> Items { get; set; } = [];

    /// <summary>What fails the command, although it has a result.</summary>
    internal ImagePublishException? Failure { get; set; }

    /// <summary>Runs the command, and writes its result for scripts.</summary>
    private protected sealed override async Task ExecuteAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        await RunAsync(log, cancellationToken);
        Results = [.. Items.Select(item => item.ToTaskItem())];
        if (InputParser.Optional(ResultFile) is { } file)
            await CommandResultFile.WriteAsync(FullPath(file), GetType().Name, Items, log, cancellationToken);
        if (Failure is not null)
            throw Failure;
    }

    /// <summary>Runs the command.</summary>
    private protected abstract Task RunAsync(IPublishLog log, CancellationToken cancellationToken);

    internal ImageStore OpenStore() =>
        StoreFolder.Open(string.IsNullOrWhiteSpace(Store) ? null : FullPath(Store), StoreShared, BuildSession.TaskLog, BuildEngine4);

    internal string ResolvePath(string path) => FullPath(path);

    string IImageInputs.ResolvePath(string path) => FullPath(path);

    string? IImageInputs.Tags => ProjectTags;

    /// <summary>The build's connections.</summary>
    /// <param name="registries">The registries that are asked: credentials without a host are for the only one.</param>
    internal BuildSession Connect(params IEnumerable<Oci.Registry> registries) =>
        BuildSession.GetOrCreate(BuildEngine4, Settings(registries));

    internal SessionSettings Settings(params IEnumerable<Oci.Registry> registries) => SessionSettings.Read(this, registries, []);

    internal static void Report(IPublishLog log, IEnumerable<string> lines)
    {
        foreach (var line in lines)
            log.Information(line);
    }
}
