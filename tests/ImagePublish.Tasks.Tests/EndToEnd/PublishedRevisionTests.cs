using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary><c>ImageRevision=Inputs</c>: a repository of two apps on one library, published as CI does it with every commit.</summary>
public sealed partial class PublishedRevisionTests(Peers peers)
{
    private const string Origin = "https://github.com/acme/mono.git";

    private static readonly string[] Apps = ["alpha", "beta"];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task OnlyWhatACommitChangedIsANewImage()
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        await CreateAsync(workspace);
        var first = await CommitAsync(workspace);

        await PublishAsync(workspace, "repo", registry, "mono", "-graph");
        var start = await DigestsAsync(registry, "mono");
        await CommitAsync(workspace);
        var empty = await PublishAsync(workspace, "repo", registry, "mono");
        Assert.Equal(start, await DigestsAsync(registry, "mono"));
        Assert.Equal(2, Unchanged().Count(empty.Output));

        workspace.Write("repo/Alpha/Program.cs", "System.Console.WriteLine(Library.Code.Name + 2);");
        await CommitAsync(workspace);
        await PublishAsync(workspace, "repo", registry, "mono", "-m:2");
        var afterOne = await DigestsAsync(registry, "mono");
        Assert.Equal(["changed-Alpha=true", "changed-Beta=false"], await ReadOutputsAsync(workspace));
        Assert.NotEqual(start[0], afterOne[0]);
        Assert.Equal(start[1], afterOne[1]);

        workspace.Write("repo/Library/Code.cs", "namespace Library; public static class Code { public static string Name => \"new\"; }");
        var shared = await CommitAsync(workspace);
        var last = await CommitAsync(workspace);
        await PublishAsync(workspace, "repo", registry, "mono", "-p:ImageTags={commit} {head:7} latest");
        var afterLibrary = await DigestsAsync(registry, "mono");
        Assert.DoesNotContain(afterLibrary[0], afterOne);
        Assert.DoesNotContain(afterLibrary[1], afterOne);
        Assert.Contains(first, await registry.TagsAsync("mono/beta", Cancelled));
        Assert.Contains(last[..7], await registry.TagsAsync("mono/beta", Cancelled));

        string[] list = ["-nologo", "-tl:off", "-t:ListAffectedImages", $"-p:ImageAffectedSince={first}"];
        var affected = await BuildServers.SucceedAsync(workspace.DotNet(["msbuild", workspace["repo/All.slnx"], .. list]), Cancelled);
        Assert.Equal(
            ["Alpha is affected: Alpha/Program.cs and 1 more", "Beta is affected: Library/Code.cs"],
            affected
                .Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Order(StringComparer.Ordinal)
        );

        // Another machine: a clone of its own, in another folder, with nothing built.
        await GitAsync(workspace, "clone", "-q", workspace["repo"], workspace["clone"]);
        await GitAsync(workspace, "-C", workspace["clone"], "remote", "set-url", "origin", Origin);
        await PublishAsync(workspace, "clone", registry, "other");
        Assert.Equal(afterLibrary, await DigestsAsync(registry, "other"));
        await AssertNamesAsync(registry, workspace, shared);
    }

    [Fact]
    [ReliabilityCase(
        "Git",
        "CI, without ImageRevision: a commit that changes no input of the app",
        "the digest stays the same, and a {commit} tag names the commit that CI built"
    )]
    public async Task InCiItIsTheDefaultUnlessSomethingIsInDoubt()
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        await CreateAsync(workspace, revision: "");
        var first = await CommitAsync(workspace);

        await PublishAsync(workspace, "repo", registry, "ci");
        var start = await DigestsAsync(registry, "ci");
        var second = await CommitAsync(workspace);
        var again = await PublishAsync(workspace, "repo", registry, "ci");
        Assert.Equal(start, await DigestsAsync(registry, "ci"));
        Assert.DoesNotContain("The image's revision", again.Output, StringComparison.Ordinal);
        Assert.Equal(start[1], (await registry.ManifestAsync("ci/beta", second, Cancelled)).Digest);
        await AssertNamesAsync(registry, workspace, first, "ci/beta");

        // A target that may read anything, of one of them.
        workspace.Write(
            "repo/Alpha/Alpha.csproj",
            (await File.ReadAllTextAsync(workspace["repo/Alpha/Alpha.csproj"], Cancelled)).Replace(
                "</Project>",
                """<Target Name="Generate" BeforeTargets="CoreCompile"><Exec Command="true" /></Target></Project>""",
                StringComparison.Ordinal
            )
        );
        await CommitAsync(workspace);
        var third = await CommitAsync(workspace);
        var doubtful = await PublishAsync(workspace, "repo", registry, "ci");
        Assert.Equal(start[1], (await DigestsAsync(registry, "ci"))[1]);
        Assert.Equal(third, await RevisionAsync(registry, "ci/alpha"));
        Assert.Contains(
            "The image's revision is HEAD and changes with every commit: a target of Alpha.csproj runs Exec, ",
            doubtful.Output,
            StringComparison.Ordinal
        );

        // What the command line names is named.
        var named = new string('c', 40);
        await PublishAsync(workspace, "repo/Beta/Beta.csproj", registry, "ci", $"-p:SourceRevisionId={named}");
        Assert.Contains(named, await registry.TagsAsync("ci/beta", Cancelled));

        foreach (var other in new[] { "-p:ImageRevision=Head", "-p:ContinuousIntegrationBuild=false" })
        {
            var head = await CommitAsync(workspace);
            await PublishAsync(workspace, "repo", registry, "ci", other);
            Assert.Equal(head, await RevisionAsync(registry, "ci/beta"));
        }

        await GitAsync(workspace, "clone", "-q", "--depth=1", $"file://{workspace["repo"]}", workspace["shallow"]);
        // Each process of a build says it once.
        var shallow = await PublishAsync(workspace, "shallow", registry, "shallow", "-m:1");
        Assert.Single(ShallowLine().Matches(shallow.Output));
    }

    [Fact]
    public async Task EachInputInTurnMovesTheDigest()
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        await CreateAsync(workspace, revision: "");
        workspace.Write(
            "repo/Beta/Beta.csproj",
            """
            <Project Sdk="Microsoft.NET.Sdk">
              <Import Project="../eng/App.props" />
              <Import Project="../eng/Local.props" Condition="Exists('../eng/Local.props')" />
              <ItemGroup>
                <ProjectReference Include="../Library/Library.csproj" />
                <Compile Include="../shared/**/*.cs" />
                <Content Include="../data/*.json" CopyToOutputDirectory="PreserveNewest" LinkBase="data" />
              </ItemGroup>
            </Project>
            """
        );
        workspace.Write("repo/shared/First.cs", "// one");
        await CommitAsync(workspace);
        await PublishAsync(workspace, "repo/Beta/Beta.csproj", registry, "each");
        var seen = new HashSet<string> { await DigestAsync(registry, "each/beta") };

        foreach (var (path, content) in EachInput)
        {
            if (content.Length == 0)
                File.Delete(workspace[$"repo/{path}"]);
            else
                workspace.Write($"repo/{path}", content);
            var commit = await CommitAsync(workspace);
            await CommitAsync(workspace);
            await PublishAsync(workspace, "repo/Beta/Beta.csproj", registry, "each");

            Assert.Equal(commit, await RevisionAsync(registry, "each/beta"));
            Assert.True(seen.Add(await DigestAsync(registry, "each/beta")), path);
        }
    }

    private static (string Path, string Content)[] EachInput =>
        [
            ("Beta/Program.cs", "System.Console.WriteLine(Library.Code.Name + 1);"),
            ("Library/Code.cs", "namespace Library; public static class Code { public static string Name => \"each\"; }"),
            ("shared/Second.cs", "// two"),
            ("shared/Second.cs", ""),
            ("data/settings.json", "{}"),
            ("data/settings.json", ""),
            ("eng/App.props", "<Project><PropertyGroup><OutputType>Exe</OutputType><A>1</A></PropertyGroup></Project>"),
            ("eng/Local.props", "<Project />"),
            ("eng/Local.props", ""),
            ("Directory.Build.targets", "<Project />"),
            (".editorconfig", "root = true"),
        ];

    private static async Task<string?> RevisionAsync(DockerRegistry registry, string repository)
    {
        var config = await registry.ConfigAsync(repository, "latest", Cancelled);
        return config.GetProperty("config").GetProperty("Labels").GetProperty("org.opencontainers.image.revision").GetString();
    }

    // Labels, the assemblies' versions and SourceLink name one commit.
    private static async Task AssertNamesAsync(
        DockerRegistry registry,
        TestWorkspace workspace,
        string commit,
        string repository = "mono/beta"
    )
    {
        Assert.Equal(commit, await RevisionAsync(registry, repository));
        foreach (var name in new[] { "Beta", "Library" })
        {
            var assembly = workspace[$"repo/Beta/bin/Release/net10.0/publish/{name}.dll"];
            Assert.Equal($"1.0.0+{commit}", FileVersionInfo.GetVersionInfo(assembly).ProductVersion);
        }

        using var sourceLink = JsonDocument.Parse(
            await File.ReadAllBytesAsync(workspace["repo/Beta/obj/Release/net10.0/Beta.sourcelink.json"], Cancelled)
        );
        Assert.EndsWith(
            $"/acme/mono/{commit}/*",
            Assert.Single(sourceLink.RootElement.GetProperty("documents").EnumerateObject()).Value.GetString(),
            StringComparison.Ordinal
        );
    }

    private static async Task CreateAsync(TestWorkspace workspace, string revision = "Inputs")
    {
        const string Projects =
            """<Project Path="Alpha/Alpha.csproj" /><Project Path="Beta/Beta.csproj" /><Project Path="Library/Library.csproj" />""";
        const string App = """
            <Project Sdk="Microsoft.NET.Sdk">
              <Import Project="../eng/App.props" />
              <ItemGroup><ProjectReference Include="../Library/Library.csproj" /></ItemGroup>
            </Project>
            """;
        workspace.Write("repo/All.slnx", $"<Solution>{Projects}</Solution>");
        workspace.Write("repo/.gitignore", "bin/\nobj/\n");
        workspace.Write("repo/eng/App.props", "<Project><PropertyGroup><OutputType>Exe</OutputType></PropertyGroup></Project>");
        workspace.Write("repo/Library/Library.csproj", """<Project Sdk="Microsoft.NET.Sdk" />""");
        workspace.Write("repo/Library/Code.cs", "namespace Library; public static class Code { public static string Name => \"old\"; }");
        foreach (var name in new[] { "Alpha", "Beta" })
        {
            workspace.Write($"repo/{name}/{name}.csproj", App);
            workspace.Write($"repo/{name}/Program.cs", "System.Console.WriteLine(Library.Code.Name);");
        }

        workspace.Write(
            "repo/Directory.Build.props",
            $"""
            <Project>
              <PropertyGroup>
                <TargetFramework>net10.0</TargetFramework>
                <ImageRevision>{revision}</ImageRevision>
                <ImageBase>scratch</ImageBase>
                <ImageDoctor>Off</ImageDoctor>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="{PackedPackage.Id}" Version="{workspace.PackageVersion}" PrivateAssets="all" />
              </ItemGroup>
            </Project>
            """
        );
        await GitAsync(workspace, "init", "-q", "-b", "main", workspace["repo"]);
        await GitAsync(workspace, "-C", workspace["repo"], "remote", "add", "origin", Origin);
    }

    private static async Task<string> CommitAsync(TestWorkspace workspace)
    {
        string[] identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false"];
        await GitAsync(workspace, "-C", workspace["repo"], "add", "-A");
        await GitAsync(workspace, ["-C", workspace["repo"], .. identity, "commit", "-q", "--allow-empty", "-m", "Commit"]);
        return (await GitAsync(workspace, "-C", workspace["repo"], "rev-parse", "HEAD")).Trim();
    }

    private static async Task<string> GitAsync(TestWorkspace workspace, params string[] arguments) =>
        (await new CommandLine("git", arguments) { WorkingDirectory = workspace.Path }.SucceedAsync(Cancelled)).Output;

    private static async Task<CommandOutput> PublishAsync(
        TestWorkspace workspace,
        string what,
        DockerRegistry registry,
        string prefix,
        params string[] switches
    )
    {
        var publish = workspace.PublishImages(
            workspace[what.EndsWith(".csproj", StringComparison.Ordinal) ? what : $"{what}/All.slnx"],
            [
                // Nothing that a restore reads is changed here once it was published.
                .. Directory.Exists(workspace[$"{what.Split('/')[0]}/Beta/obj"]) ? ["--no-restore"] : Array.Empty<string>(),
                "-p:ContinuousIntegrationBuild=true",
                $"-p:ImageRegistry={registry.Host}",
                $"-p:ImageRepositoryPrefix={prefix}",
                "-p:ImageTags={commit} latest",
                .. switches,
            ]
        );
        publish = publish with
        {
            Environment = new Dictionary<string, string?>(publish.Environment) { ["GITHUB_OUTPUT"] = workspace.Write("output", "") },
        };
        var output = await BuildServers.SucceedAsync(publish, Cancelled);
        Assert.DoesNotMatch("warning|error", output.All);
        return output;
    }

    private static async Task<IEnumerable<string>> ReadOutputsAsync(TestWorkspace workspace) =>
        (await File.ReadAllLinesAsync(workspace["output"], Cancelled))
            .Where(line => line.StartsWith("changed-", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal);

    private static async Task<string[]> DigestsAsync(DockerRegistry registry, string prefix) =>
        await Task.WhenAll(Apps.Select(app => DigestAsync(registry, $"{prefix}/{app}")));

    private static async Task<string> DigestAsync(DockerRegistry registry, string repository) =>
        (await registry.ManifestAsync(repository, "latest", Cancelled)).Digest;

    [GeneratedRegex("The image's revision is HEAD .*'fetch-depth: 0'")]
    private static partial Regex ShallowLine();

    [GeneratedRegex(@"\(unchanged\)")]
    private static partial Regex Unchanged();
}
