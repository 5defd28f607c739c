using System.Security;
using System.Text.Json;
using System.Text.RegularExpressions;
using ImagePublish.Oci;
using ImagePublish.Storage.Archives;
using ImagePublish.Tasks.Tests.Storage;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.Commands;

/// <summary>Pages of repositories as users make them, against a real registry.</summary>
public sealed partial class RepositoryPageCommandTests(Peers peers) : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task APageIsMadeOfARegistrysRepositoryAndOfTheLocalStore()
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        var project = workspace.Empty("Pages").WithImagePublish();
        await ArchiveAsync("one.tar", "shared", "first");
        await ArchiveAsync("two.tar", "shared", "second and longer");
        var names = $"ImageStore={folder["store"]};ImageRepository=acme/paged";
        var to = $"{names};ImageRegistry={registry.Host}";
        project.Element(
            Target(
                "Pages",
                ("CopyImage", $"{to};ImageSource={folder["one.tar"]};ImageTags=1.0.0"),
                ("CopyImage", $"{to};ImageSource={folder["two.tar"]};ImageTags=2.0.0%3Blatest"),
                ("WriteImagePage", $"{to};ImagePage={folder["page.html"]};ImagePageFiles=2"),
                ("OpenImagePage", to),
                ("CopyImage", $"{names};ImageSource={folder["one.tar"]};ImageTags=1.0.0"),
                ("WriteImagePage", $"{names};ImagePage={folder["store.html"]}")
            )
        );
        await project.RestoreAsync(Cancelled);

        var output = (await project.MSBuildAsync(Cancelled, "-t:Pages", "-v:m")).EnsureSuccess();

        Assert.Contains($"{registry.Host}/acme/paged: 3 tags, 2 images", output.Output, StringComparison.Ordinal);
        Assert.Contains("  acme/paged: 1 tag, 1 image", output.Output, StringComparison.Ordinal);
        Assert.Matches($@"The page is in {Regex.Escape(folder["page.html"])} \([\d.]+ kB\)", output.Output);
        var data = Data(folder["page.html"]);
        Assert.Equal(
            ["2.0.0 latest", "1.0.0"],
            data.GetProperty("images").EnumerateArray().Select(image => string.Join(' ', image.GetProperty("tags").EnumerateArray()))
        );
        // What both have is there once.
        Assert.Equal(3, data.GetProperty("layers").GetProperty("digests").GetArrayLength());
        Assert.Equal(3, data.GetProperty("files").GetProperty("layers").GetArrayLength());
        Assert.False(Data(folder["store.html"]).GetProperty("head").GetProperty("registry").GetBoolean());
        var opened = Directory.GetFiles(Path.GetDirectoryName(project.File)!, "ImagePage.html", SearchOption.AllDirectories);
        Assert.Equal($"{registry.Host}/acme/paged", Data(Assert.Single(opened)).GetProperty("head").GetProperty("name").GetString());
    }

    [Fact]
    public async Task EveryMistakeIsOneLineAndLeavesNothingBehind()
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        var project = workspace.Empty("Mistakes").WithImagePublish();
        var store = $"ImageStore={folder["store"]}";
        var known = $"{store};ImageSource={registry.Host}/dotnet/aspnet";
        folder.Write("file", "no folder");
        folder.Write("kept.html", "kept");
        (string Code, string Says, string Properties)[] mistakes =
        [
            ("IMG1031", "set ImagePage", known),
            ("IMG4006", "Could not list the tags", $"{store};ImageSource={registry.Host}/acme/none;ImagePage={folder["kept.html"]}"),
            ("IMG4150", "None of the", $"{known};ImageFilter=none-*;ImagePage={folder["kept.html"]}"),
            ("IMG4150", "'acme/none' has no tags", $"{store};ImageSource=store:acme/none;ImagePage={folder["kept.html"]}"),
            ("IMG4001", "no server listens on this port", $"{store};ImageSource=localhost:1/acme/none;ImagePage={folder["kept.html"]}"),
            ("IMG3003", "can't be written", $"{known};ImagePage={folder["file"]}/page.html"),
            ("IMG1007", "expected a number of images, at most 50", $"{known};ImagePageFiles=51;ImagePage={folder["kept.html"]}"),
            ("IMG1007", "expected a number, 0 for all", $"{known};ImageTagLimit=some;ImagePage={folder["kept.html"]}"),
            ("IMG1007", "expected a repository", $"{store};ImageSource=shop.tar;ImagePage={folder["kept.html"]}"),
            (
                "IMG1007",
                "only compared in a registry",
                $"{store};ImageSource=store:a/b;ImagePageDrift=true;ImagePage={folder["kept.html"]}"
            ),
        ];
        project.Element(Target("Mistakes", [.. mistakes.Select(mistake => ("WriteImagePage", mistake.Properties))]));
        await project.RestoreAsync(Cancelled);

        var output = await project.MSBuildAsync(Cancelled, "-t:Mistakes", "-v:m");

        ReportedMistakes.Check(output, [.. mistakes.Select(mistake => (mistake.Code, mistake.Says))]);
        Assert.Equal("kept", await File.ReadAllTextAsync(folder["kept.html"], Cancelled));
        Assert.Equal(["file", "kept.html"], Directory.GetFiles(folder.Path).Select(Path.GetFileName).Order());
    }

    public void Dispose() => folder.Dispose();

    private Task ArchiveAsync(string file, params string[] layers) =>
        ArchiveWriter.WriteAsync([ArchiveImage.Create(PeerImage.Create("amd64", layers), "acme/paged:1")], folder[file], Cancelled);

    private static string Target(string name, params (string Verb, string Properties)[] calls) =>
        $"<Target Name=\"{name}\">"
        + string.Concat(
            calls.Select(call =>
                "<MSBuild Projects=\"$(MSBuildProjectFullPath)\" "
                + $"Targets=\"{call.Verb}\" Properties=\"{SecurityElement.Escape(call.Properties)}\" ContinueOnError=\"true\" />"
            )
        )
        + "</Target>";

    private static JsonElement Data(string page)
    {
        using var document = JsonDocument.Parse(DataElement().Match(File.ReadAllText(page)).Groups[1].Value);
        return document.RootElement.Clone();
    }

    [GeneratedRegex("""(?s)<script type="application/json" id="data">(.*?)</script>""")]
    private static partial Regex DataElement();
}
