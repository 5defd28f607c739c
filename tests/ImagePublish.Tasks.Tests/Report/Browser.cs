using System.Text.Json;
using ImagePublish.Tasks.Tests.Fixtures;

namespace ImagePublish.Tasks.Tests.Report;

/// <summary>Chromium, driven by a script of the folder <c>browser</c>.</summary>
internal static class Browser
{
    /// <summary>Runs a script, and returns what it saw.</summary>
    /// <param name="folder">An empty one, for Playwright's part that drives a browser which is there: from npm, by its lock file.</param>
    public static async Task<JsonElement> DriveAsync(string folder, string script, params string[] arguments)
    {
        var source = Path.Combine(RepositoryRoot.Path, "tests", "ImagePublish.Tasks.Tests", "Report", "browser");
        var target = Directory.CreateDirectory(folder).FullName;
        foreach (var file in Directory.GetFiles(source))
            File.Copy(file, Path.Combine(target, Path.GetFileName(file)));
        await new CommandLine("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund") { WorkingDirectory = target }.SucceedAsync(
            CancellationToken.None
        );
        var drive = new CommandLine("node", [Path.Combine(target, script), .. arguments]) { TimeOut = TimeSpan.FromMinutes(3) };
        using var seen = JsonDocument.Parse((await drive.SucceedAsync(CancellationToken.None)).Output);
        return seen.RootElement.Clone();
    }
}
