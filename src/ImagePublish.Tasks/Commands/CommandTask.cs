using ImagePublish.Diagnostics;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks.Commands;

/// <summary>What the tasks share that read and change images without publishing: which image, and where.</summary>
public abstract class CommandTask : ImageNameTask
{
    /// <summary>The image to read; empty for the project's own.</summary>
    public string? Source { get; set; }

    /// <summary>Tags that the user names for this command.</summary>
    public string? Tags { get; set; }

    /// <summary>Tags and templates of the project's own image, from whichever property they come.</summary>
    public string? ProjectTags { get; set; }

    /// <summary>The platforms of the project's own image.</summary>
    public string? RuntimeIdentifiers { get; set; }

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
            CommandResultFile.Write(FullPath(file), GetType().Name, Items, log);
        if (Failure is not null)
            throw Failure;
    }

    /// <summary>Runs the command.</summary>
    private protected abstract Task RunAsync(IPublishLog log, CancellationToken cancellationToken);

    internal override string? TagsOfProject => ProjectTags;

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
