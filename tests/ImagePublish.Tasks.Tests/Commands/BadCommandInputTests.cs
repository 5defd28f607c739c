using System.Security;
using ImagePublish.Storage;
using ImagePublish.Storage.Archives;
using ImagePublish.Tasks.Tests.Storage;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.Commands;

/// <summary>What users get wrong with the commands: each a code, one line, and the way out. All in one build.</summary>
public sealed class BadCommandInputTests(Peers peers) : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    [ReliabilityCase("Prune", "a filter alone, or a registry that only the project names", "refused before anything is removed")]
    public async Task EveryMistakeIsOneLineWithItsCodeAndTheWayOut()
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        var project = workspace.Empty("Mistakes").WithImagePublish();
        await ArchiveWriter.WriteAsync(
            [ArchiveImage.Create(PeerImage.Create("amd64", "kept"), "acme/kept:1.0")],
            folder["kept.tar"],
            Cancelled
        );
        folder.Write("text.tar", "no archive at all");
        folder.Write("file", "no folder");
        folder.Write("foreign/index.json", """{"name":"somebody's package"}""");
        var damagedBlob = await StoreAsync("damaged-blob");
        foreach (var blob in Directory.EnumerateFiles(Path.Combine(damagedBlob, "blobs", "sha256")))
            await File.WriteAllTextAsync(blob, new string('x', (int)new FileInfo(blob).Length), Cancelled);
        var damagedList = await StoreAsync("damaged-list");
        await File.WriteAllTextAsync(Path.Combine(damagedList, "index.json"), """{"manifests":[{""", Cancelled);
        var store = await StoreAsync("store");
        Mistake[] mistakes =
        [
            new("IMG3105", "ListImages", "TagImage", $"ImageStore={store};ImageSource=acme/none:1;ImageTags=v1"),
            new("IMG1030", "is both source and destination", "CopyImage", $"ImageStore={store};ImageSource=acme/kept:1.0"),
            new("IMG4006", "Check registry, repository and tag", "TagImage", $"ImageSource={registry.Host}/acme/none:1;ImageTags=v1"),
            new("IMG1031", "set ImageTags", "TagImage", $"ImageStore={store};ImageSource=acme/kept:1.0"),
            new("IMG1007", "CopyImage copies others", "PullImage", $"ImageStore={store};ImageSource=acme/kept:1.0"),
            new("IMG1031", "set ImageSource", "RemoveImage", $"ImageStore={store}"),
            new("IMG1004", ":v1", "TagImage", $"ImageStore={store};ImageSource=acme/kept:1.0;ImageTags=%3Av1"),
            new("IMG3106", "not a tar archive", "InspectImage", $"ImageSource={folder["text.tar"]}"),
            new(
                "IMG4160",
                "Publish it with ImageSymbols=Separate",
                "PullImageSymbols",
                $"ImageStore={store};ImageSource=acme/kept:1.0;ImageSymbolsFolder={folder["symbols"]}"
            ),
            new("IMG3107", "missing.tar", "InspectImage", $"ImageSource={folder["missing.tar"]}"),
            new("IMG3101", "choose another folder with ImageStore", "ListImages", $"ImageStore={folder["file"]}"),
            new("IMG3103", "ImageRepair=true", "InspectImage", $"ImageStore={damagedBlob};ImageSource=acme/kept:1.0"),
            new("IMG3103", "ImageRepair=true", "ListImages", $"ImageStore={damagedList}"),
            new("IMG3103", "foreign", "ListImages", $"ImageStore={folder["foreign"]}"),
            new("IMG1007", "ImageKeep", "PruneImages", $"ImageStore={store};ImageKeep=-1"),
            new("IMG1007", "ImageMaxAge", "PruneImages", $"ImageStore={store};ImageMaxAge=soon"),
            new(
                "IMG1032",
                "nothing was removed",
                "PruneImages",
                $"ImageStore={store};ImageName={registry.Host}/dotnet/aspnet;ImageFilter=*"
            ),
            new("IMG1032", "Set ImageKeep", "PruneImages", $"ImageStore={store};ImageSource={registry.Host}/dotnet/aspnet"),
            new("IMG1032", "ImageMaxAge", "PruneImages", $"ImageStore={store};ImageFilter=acme/*"),
            new(
                "IMG1033",
                $"-p:ImageSource={registry.Host}/mistakes",
                "PruneImages",
                $"ImageStore={store};NamesRegistry=true;ImageFilter=acme/*;ImageKeep=0"
            ),
            new("IMG1033", "-p:ImageSource=store:", "PruneImages", $"ImageStore={store};NamesRegistry=true;ImageKeep=3"),
            new(
                "IMG1007",
                "RemoveImage removes a single tag",
                "PruneImages",
                $"ImageStore={store};ImageSource={registry.Host}/dotnet/aspnet:10.0;ImageKeep=0"
            ),
            new("IMG1001", "has capital letters, and must be lower case", "InspectImage", "ImageSource=localhost:1/Acme/shop:1"),
            new("IMG1031", "ImageTagPolicy is None", "InspectImage", $"ImageStore={store};ImageTagPolicy=None"),
            new("IMG1007", "a file is deleted as any other", "RemoveImage", $"ImageStore={store};ImageSource={folder["kept.tar"]}"),
            new("IMG1031", "ImageRegistryUsername", "LoginImageRegistry", $"ImageRegistry={registry.Host}"),
            new("IMG3108", "nobody.sock", "InspectImage", $"ImageStore={store};ImageSource=docker-daemon:acme/none:1"),
            new("IMG4001", "no server listens on this port", "ListImageTags", "ImageName=localhost:1/acme/none"),
            new(
                "IMG4016",
                "ImageOffline is true",
                "CopyImage",
                $"ImageStore={store};ImageSource=acme/kept:1.0;ImageRegistry={registry.Host};ImageOffline=true"
            ),
            new("IMG1031", "has no web page", "OpenImagePage", "ImageRegistry="),
        ];
        project.Element(
            $"<PropertyGroup Condition=\"'$(NamesRegistry)' == 'true'\"><ImageRegistry>{registry.Host}</ImageRegistry></PropertyGroup>"
        );
        project.Element($"<Target Name=\"Mistakes\">{string.Concat(mistakes.Select(mistake => mistake.Call))}</Target>");
        await project.RestoreAsync(Cancelled);

        var command = project.Command("msbuild", "-t:Mistakes", "-v:m");
        var output = await (
            command with
            {
                Environment = new Dictionary<string, string?>(command.Environment) { ["DOCKER_HOST"] = $"unix://{folder["nobody.sock"]}" },
            }
        ).RunAsync(Cancelled);

        ReportedMistakes.Check(output, [.. mistakes.Select(mistake => (mistake.Code, mistake.Says))]);
        Assert.NotNull(await ImageStore.Open(store, new StoreOptions()).FindReferenceAsync("acme/kept:1.0", Cancelled));
    }

    public void Dispose() => folder.Dispose();

    private async Task<string> StoreAsync(string name)
    {
        var store = ImageStore.Open(folder[name], new StoreOptions());
        var image = PeerImage.Create("amd64", "kept");
        foreach (var blob in image.Layers.Select(layer => layer.Source!).Append(image.ConfigBlob).Append(image.Manifest))
            await store.PutAsync(blob, Cancelled);
        await store.SetReferenceAsync("acme/kept:1.0", image.Manifest.Descriptor, Cancelled);
        return store.Folder;
    }

    private sealed record Mistake(string Code, string Says, string Verb, string Properties)
    {
        public string Call =>
            $"<MSBuild Projects=\"$(MSBuildProjectFullPath)\" "
            + $"Targets=\"{Verb}\" Properties=\"{SecurityElement.Escape(Properties)}\" ContinueOnError=\"true\" />";
    }
}
