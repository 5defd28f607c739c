using System.ComponentModel;
using ImagePublish.Bases;
using ImagePublish.Commands;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Tasks.Shared;

namespace ImagePublish.Tasks.Commands;

/// <summary>Prints the address of the repository's tags page, and opens it on an interactive desktop.</summary>
public sealed class OpenImagePage : CommandTask
{
    private static readonly string[] CiVariables = ["CI", "TF_BUILD", "GITHUB_ACTIONS", "BUILD_BUILDID", "JENKINS_URL", "TEAMCITY_VERSION"];

    private protected override Task RunAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        var names = new CommandNames(this);
        var repositories = names.Source is RegistryImage remote ? [remote.Reference.Repository] : names.Destinations;
        if (repositories.Count == 0)
            throw new ImagePublishException(
                DiagnosticCodes.PropertyMissing,
                "An image in the local store has no web page: set ImageRegistry and ImageRepository, or ImageName."
            );
        foreach (var repository in repositories)
        {
            if (ImagePage.FindAddress(repository) is not { } page)
            {
                log.Information($"{repository}: the web pages of this registry are not known; the target ListImageTags shows its tags.");
                continue;
            }

            log.Information($"{repository}: {page.AbsoluteUri}");
            Items = [.. Items, CommandItem.Create(page.AbsoluteUri, ("Repository", repository))];
            if (IsDesktop())
                Open(page, log);
        }

        return Task.CompletedTask;
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
