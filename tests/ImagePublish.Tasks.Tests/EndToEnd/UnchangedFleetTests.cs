using ImagePublish.Tasks.Tests.Support;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>What services cost that a commit did not touch.</summary>
public sealed class UnchangedFleetTests(Peers peers)
{
    private static readonly string[] Services = ["Aaa", "Bbb", "Ccc", "Ddd", "Eee", "Fff"];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    [ReliabilityCase(
        "Projects",
        "a commit to one of several services of a repository, with `ImageRevision=Inputs`",
        "a new digest for that one; each other service costs one request for each tag and no upload, and none of its layers is " + "read"
    )]
    public async Task EachCostsARequestForEachTagAndNoByte()
    {
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Cancelled);
        await using var mirror = await TestRegistry.StartAsync(cancellationToken: Cancelled);
        mirror.SeedIndex("mcr/dotnet/runtime", "10.0");
        using var workspace = await peers.WorkspaceAsync();
        Create(workspace);
        await CommitAsync(workspace, "first");
        await PublishAsync(workspace, registry, mirror);
        var before = Digests(registry);

        registry.Requests.Clear();
        mirror.Requests.Clear();
        RemoveLayers(workspace);
        await CommitAsync(workspace, "elsewhere");
        var elsewhere = await PublishAsync(workspace, registry, mirror);

        Assert.Contains("Images: 0 published, 6 unchanged, ", elsewhere.Output, StringComparison.Ordinal);
        Assert.Equal(before, Digests(registry));
        Assert.All(Services, service => AssertUntouched(registry, service));
        // One for each process of the build.
        Assert.InRange(mirror.Requests.Count, 1, 2);
        Assert.All(mirror.Requests, request => Assert.Equal(RegistryStep.ManifestHead, request.Step));

        registry.Requests.Clear();
        workspace.Write("Ccc/Program.cs", "System.Console.WriteLine(Library.Code.Name + \"new\");");
        await CommitAsync(workspace, "one");
        var one = await PublishAsync(workspace, registry, mirror);

        Assert.Contains("Images: 1 published, 5 unchanged, ", one.Output, StringComparison.Ordinal);
        Assert.Equal(["Ccc"], Services.Where((_, at) => before[at] != Digests(registry)[at]));
        Assert.All(Services.Except(["Ccc"]), service => AssertUntouched(registry, service));
    }

    // 1.0.0 and latest.
    private static void AssertUntouched(TestRegistry registry, string service)
    {
        var requests = registry.Requests.Where(request => request.Repository == $"fleet/{service.ToLowerInvariant()}").ToList();
        Assert.Equal(2, requests.Count);
        Assert.All(requests, request => Assert.Equal((RegistryStep.ManifestHead, 0L), (request.Step, request.BodyBytes)));
    }

    private static string[] Digests(TestRegistry registry) =>
        [.. Services.Select(service => registry.Content.Tags($"fleet/{service.ToLowerInvariant()}")["1.0.0"])];

    // Whoever read a layer of this machine would miss it.
    private static void RemoveLayers(TestWorkspace workspace)
    {
        var blobs = Directory.EnumerateDirectories(workspace.UserData, "blobs", SearchOption.AllDirectories).ToList();
        Assert.NotEmpty(blobs);
        foreach (var folder in blobs)
            Directory.Delete(folder, recursive: true);
    }

    private static void Create(TestWorkspace workspace)
    {
        workspace.Write("Library/Library.csproj", """<Project Sdk="Microsoft.NET.Sdk" />""");
        workspace.Write("Library/Code.cs", "namespace Library; public static class Code { public static string Name => \"library\"; }");
        foreach (var service in Services)
        {
            workspace.Write(
                $"{service}/{service}.csproj",
                """
                <Project Sdk="Microsoft.NET.Sdk">
                  <PropertyGroup><OutputType>Exe</OutputType><UseAppHost>false</UseAppHost></PropertyGroup>
                  <ItemGroup><ProjectReference Include="../Library/Library.csproj" /></ItemGroup>
                </Project>
                """
            );
            workspace.Write($"{service}/Program.cs", $"System.Console.WriteLine(Library.Code.Name + \"{service}\");");
        }

        workspace.Write(
            "Directory.Build.props",
            $"""
            <Project>
              <PropertyGroup>
                <TargetFramework>net10.0</TargetFramework>
                <ImageRevision>Inputs</ImageRevision>
                <ImageRepositoryPrefix>fleet</ImageRepositoryPrefix>
                <ImageDoctor>Off</ImageDoctor>
                <ContinuousIntegrationBuild>true</ContinuousIntegrationBuild>
              </PropertyGroup>
              <ItemGroup><PackageReference Include="ImagePublish.Tasks" Version="{workspace.PackageVersion}" PrivateAssets="all" /></ItemGroup>
            </Project>
            """
        );
        workspace.Solution("All.slnx", Services.Append("Library"));
        workspace.Write(".gitignore", "bin/\nobj/\nuser-data/\n");
    }

    private static async Task CommitAsync(TestWorkspace workspace, string note)
    {
        workspace.Write("notes/note.txt", note);
        if (!Directory.Exists(workspace[".git"]))
            await GitAsync(workspace, "init", "-q");
        await GitAsync(workspace, "add", "-A");
        await GitAsync(workspace, "-c", "user.name=me", "-c", "user.email=me@example.com", "commit", "-qm", note);
    }

    private static Task GitAsync(TestWorkspace workspace, params string[] arguments) =>
        new CommandLine("git", arguments) { WorkingDirectory = workspace.Path }.SucceedAsync(Cancelled);

    private static Task<CommandOutput> PublishAsync(TestWorkspace workspace, TestRegistry registry, TestRegistry mirror) =>
        workspace
            .PublishImages(workspace["All.slnx"], "-m:2", $"-p:ImageRegistry={registry.Host}", $"-p:ImageBaseRegistry={mirror.Host}/mcr")
            .SucceedAsync(Cancelled);
}
