using System.Text.Json;
using ImagePublish.Tasks.Tests.Support;
using ImagePublish.Tasks.Tests.Report;

namespace ImagePublish.Tasks.Tests.Documentation;

/// <summary>The documentation's site, built as <c>docs/site</c> says from a copy of the pages, and what a browser saw of it.</summary>
public sealed class BuiltSite : IAsyncLifetime
{
    private readonly TemporaryFolder folder = new();

    public JsonElement Seen { get; private set; }

    public string Output => folder["artifacts/site"];

    public string this[string name] => folder[name];

    /// <summary>Screenshots; kept where <c>IMAGEPUBLISH_PICTURES</c> says, to be looked at.</summary>
    private string Pictures => Environment.GetEnvironmentVariable("IMAGEPUBLISH_PICTURES") ?? folder["pictures"];

    public async ValueTask InitializeAsync()
    {
        SourceTree.Copy("docs", folder["docs"]);
        foreach (var page in SourceTree.Files("samples", "README.md").Concat(Directory.GetFiles(RepositoryRoot.Path, "*.md")))
            Copy(SourceTree.Relative(page));
        Copy("LICENSE");
        await Npm("ci", "--no-audit", "--no-fund").SucceedAsync(CancellationToken.None);
        await Npm("run", "build").SucceedAsync(CancellationToken.None);
        Directory.CreateDirectory(Pictures);
        Seen = await Browser.DriveAsync(folder["browser"], "drive-site.mjs", Output, Pictures);
    }

    /// <summary>A command of npm, in the site's folder.</summary>
    public CommandLine Npm(params IReadOnlyList<string> arguments) => new("npm", arguments) { WorkingDirectory = folder["docs/site"] };

    public ValueTask DisposeAsync()
    {
        folder.Dispose();
        return ValueTask.CompletedTask;
    }

    private void Copy(string name) => folder.Write(name, File.ReadAllText(Path.Combine(RepositoryRoot.Path, name)));
}
