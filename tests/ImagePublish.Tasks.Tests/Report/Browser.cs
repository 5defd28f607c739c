using System.Text.Json;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.Report;

/// <summary>Chromium, driven by a script of the folder <c>browser</c>.</summary>
internal static class Browser
{
    /// <summary>Runs a script, and returns what it saw.</summary>
    /// <param name="folder">An empty one, for Playwright's part that drives a browser which is there: from npm, by its lock file.</param>
    public static async Task<JsonElement> DriveAsync(string folder, string script, params string[] arguments)
    {
        await NodePackages.InstallAsync("Report/browser", folder, CancellationToken.None);
        var drive = new CommandLine("node", [Path.Combine(folder, script), .. arguments]) { TimeOut = TimeSpan.FromMinutes(3) };
        using var seen = JsonDocument.Parse((await drive.SucceedAsync(CancellationToken.None)).Output);
        return seen.RootElement.Clone();
    }
}
