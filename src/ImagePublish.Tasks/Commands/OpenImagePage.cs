using System.ComponentModel;
using ImagePublish.Commands;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Tasks.Shared;

namespace ImagePublish.Tasks.Commands;

/// <summary>Prints the address of the repository's tags page, and opens it on an interactive desktop. Where the registry has none, or the
/// images are in the local store, a page is written.</summary>
public sealed class OpenImagePage : RepositoryPageTask
{
    private static readonly string[] CiVariables = ["CI", "TF_BUILD", "GITHUB_ACTIONS", "BUILD_BUILDID", "JENKINS_URL", "TEAMCITY_VERSION"];

    /// <summary>Where the page is written if no file is named for it.</summary>
    public string? DefaultPage { get; set; }

    private protected override async Task RunAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        var names = new CommandNames(this);
        var repositories = RepositoriesOf(names);
        if (repositories.Count == 0)
            await WriteOfStoreAsync(names, log, cancellationToken);
        foreach (var repository in repositories)
        {
            if (InputParser.Optional(Page) is null && ImagePage.FindAddress(repository) is { } page)
            {
                log.Information($"{repository}: {page.AbsoluteUri}");
                Items = [.. Items, CommandItem.Create(page.AbsoluteUri, ("Repository", repository))];
                Open(page, log);
            }
            else if (File is null)
                await WriteAndOpenAsync(names, repository, log, cancellationToken);
            else
                log.Information($"{repository}: it has no page; one is written for the first such repository only.");
        }
    }

    private string? File { get; set; }

    private async Task WriteOfStoreAsync(CommandNames names, IPublishLog log, CancellationToken cancellationToken)
    {
        try
        {
            await WriteAndOpenAsync(names, repository: null, log, cancellationToken);
        }
        catch (ImagePublishException exception) when (exception.Code == DiagnosticCodes.RepositoryEmpty)
        {
            throw new ImagePublishException(
                DiagnosticCodes.PropertyMissing,
                "An image in the local store has no web page, and there is none in it to write a page of: "
                    + "set ImageRegistry and ImageRepository, or ImageName.",
                exception
            );
        }
    }

    private async Task WriteAndOpenAsync(
        CommandNames names,
        Oci.Repository? repository,
        IPublishLog log,
        CancellationToken cancellationToken
    )
    {
        File = FullPath(InputParser.Optional(Page) ?? DefaultPage!);
        await WriteAsync(names, repository, File, log, cancellationToken);
        Open(new Uri(File), log);
    }

    private static bool IsDesktop() =>
        Environment.UserInteractive
        && !Console.IsInputRedirected
        && !CiVariables.Any(IsSet)
        && IsSet("SSH_CONNECTION") is false
        && (OperatingSystem.IsWindows() || OperatingSystem.IsMacOS() || IsSet("DISPLAY") || IsSet("WAYLAND_DISPLAY"));

    private static bool IsSet(string variable) => !string.IsNullOrEmpty(TaskEnvironment.Variable(variable));

    // The address is printed already: failing to open it is no failure.
    private static void Open(Uri page, IPublishLog log)
    {
        if (!IsDesktop())
            return;
        try
        {
            if (!Programs.OpenPage(page))
                log.Detail("The page can't be opened: xdg-open is not on the PATH.");
        }
        catch (Exception exception) when (exception is Win32Exception or InvalidOperationException)
        {
            log.Detail($"The page can't be opened: {exception.Message}");
        }
    }
}
