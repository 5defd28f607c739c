using System.Buffers.Binary;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>Each platform of an index has its own files, and what the platforms share is built once.</summary>
public sealed class PlatformFoldersTests(Peers peers)
{
    private const string Area = "Platforms";
    private const string Repository = "folders/app";

    private static readonly Dictionary<string, int> Machines = new() { ["amd64"] = 62, ["arm64"] = 183 };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    [ReliabilityCase(
        Area,
        "two platforms share the `PublishDir` of a publish profile, or `AppendRuntimeIdentifierToOutputPath` is false",
        "each is built and published in its own folders"
    )]
    public async Task NativeFilesAreThoseOfTheImagesPlatform()
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        var project = (await CreateAsync(workspace, registry))
            .PackageReference("SQLitePCLRaw.lib.e_sqlite3", "2.1.11")
            .Content(
                "Properties/PublishProfiles/FolderProfile.pubxml",
                "<Project><PropertyGroup><PublishDir>bin/$(Configuration)/net10.0/publish/</PublishDir></PropertyGroup></Project>"
            );

        (await project.PublishAsync(Cancelled, "-p:PublishImage=true", "-p:PublishProfile=FolderProfile")).EnsureSuccess();
        await AssertMachinesAsync(registry);

        var build = (
            await project.PublishAsync(
                Cancelled,
                BuildOutput.Log,
                "-p:PublishImage=true",
                "-p:AppendRuntimeIdentifierToOutputPath=false",
                "-p:ImagePublishInParallel=false"
            )
        ).EnsureSuccess();
        await AssertMachinesAsync(registry);
        var tasks = (await build.DetailsAsync(Cancelled)).Split("Task \"MSBuild\"");
        var published = tasks.Where(task => task.Contains("Task Parameter:Targets=PublishImage", StringComparison.Ordinal)).ToList();
        Assert.Contains(published, task => task.Contains("BuildInParallel=False", StringComparison.Ordinal));
        Assert.DoesNotContain(published, task => task.Contains("BuildInParallel=True", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("publish", "-p:PublishImage=true", "-p:ImageRuntimeIdentifiers=linux-arm64 linux-x64", "-p:PublishDir=out/")]
    [InlineData("build", "-t:PublishImage", "-c", "Release")]
    [ReliabilityCase(
        Area,
        "a library that an app for two platforms references",
        "built once, not once for each platform; with `-t:PublishImage` the app is published only for its platforms"
    )]
    public async Task AReferencedLibraryIsBuiltOnce(string verb, params string[] arguments)
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        var library = workspace.Empty("Shared").Content("Shared.cs", "public class Shared;").Element(Trace("Build"));
        var project = (await CreateAsync(workspace, registry)).ProjectReference(library).Element(Trace("Publish"));

        (await project.RunAsync(project.Command(verb, arguments), Cancelled)).EnsureSuccess();

        Assert.Equal(["Build"], await File.ReadAllLinesAsync(Path.Combine(library.Folder, "trace.txt"), Cancelled));
        string[] outer = verb == "publish" ? ["Publish"] : [];
        Assert.Equal(
            [.. outer, "Publish linux-arm64", "Publish linux-x64"],
            (await File.ReadAllLinesAsync(Path.Combine(project.Folder, "trace.txt"), Cancelled)).Order(StringComparer.Ordinal)
        );
    }

    private static async Task<TestProject> CreateAsync(TestWorkspace workspace, DockerRegistry registry) =>
        workspace
            .Empty("Folders")
            .WithImagePublish()
            .Property("OutputType", "Exe")
            .Property("RuntimeIdentifiers", "linux-x64;linux-arm64")
            .Content("Program.cs", "return;")
            .Property("ImageRegistry", registry.Host)
            .Property("ImageRepository", Repository)
            .Property("ImageBase", await SmallBase.PushToAsync(registry, "folders/base:1", Cancelled));

    private static string Trace(string target) =>
        $"""<Target Name="Trace" AfterTargets="{target}"><PropertyGroup><TraceLine>{target} $(RuntimeIdentifier)</TraceLine></PropertyGroup><WriteLinesToFile File="$(MSBuildProjectDirectory)/trace.txt" Lines="$(TraceLine.Trim())" /></Target>""";

    private static async Task AssertMachinesAsync(DockerRegistry registry)
    {
        var index = await registry.ManifestAsync(Repository, "1.0.0", Cancelled);
        foreach (var manifest in index.Json.GetProperty("manifests").EnumerateArray())
        {
            var architecture = manifest.GetProperty("platform").GetProperty("architecture").GetString()!;
            var files = await registry.FilesAsync(Repository, manifest.GetProperty("digest").GetString()!, Cancelled);
            var native = files
                .Where(file => file.Key.StartsWith("app/", StringComparison.Ordinal) && file.Value.AsSpan().StartsWith("\u007fELF"u8))
                .ToDictionary(file => file.Key, file => (int)BinaryPrimitives.ReadUInt16LittleEndian(file.Value.AsSpan(18)));
            Assert.Equal(
                new Dictionary<string, int> { ["app/Folders"] = Machines[architecture], ["app/libe_sqlite3.so"] = Machines[architecture] },
                native
            );
        }
    }
}
