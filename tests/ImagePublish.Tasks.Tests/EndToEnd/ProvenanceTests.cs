using System.Text.Json;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>Provenance of whole builds, as a registry without the referrers API has it, read with no code of the product.</summary>
public sealed class ProvenanceTests(Peers peers)
{
    private const string Package = "Newtonsoft.Json";
    private const string Version = "13.0.3";

    private static readonly HttpClient Http = new();

    private static readonly Dictionary<string, string?> GitHub = new()
    {
        ["GITHUB_ACTIONS"] = "true",
        ["GITHUB_SERVER_URL"] = "https://github.com",
        ["GITHUB_REPOSITORY"] = "acme/shop",
        ["GITHUB_REF"] = "refs/heads/main",
        ["GITHUB_SHA"] = new string('a', 40),
        ["GITHUB_WORKFLOW_REF"] = "acme/shop/.github/workflows/ci.yml@refs/heads/main",
        ["GITHUB_RUN_ID"] = "4711",
    };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ProvenanceSaysWhoBuiltHowAndOfWhat()
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        var project = await NewAsync(workspace, "Attested");
        string[] switches = [.. Switches.For(registry, "attested/shop"), "-p:ImageProvenance=true"];

        var plain = await PublishAsync(project, [.. Switches.For(registry, "attested/plain")]);
        var build = await PublishAsync(project, switches);
        var again = await PublishAsync(project, switches);

        Assert.Equal((plain.Digest, plain.Digest), (build.Digest, again.Digest));
        var list = await registry.ManifestAsync("attested/shop", build.Digest.Replace(':', '-'), Cancelled);
        var entry = Assert.Single(list.Json.GetProperty("manifests").EnumerateArray());
        Assert.Equal("application/vnd.docker.attestation.manifest.v1+json", entry.GetProperty("artifactType").GetString());
        using var statement = await StatementAsync(registry, "attested/shop", build.Digest, entry.GetProperty("digest").GetString()!);
        await CheckAsync(registry, statement.RootElement, project);
    }

    [Fact]
    public async Task InAnIndexOtherToolsTakeItAlong()
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        using var copies = new TemporaryFolder();
        var project = await NewAsync(workspace, "Indexed");

        var build = await PublishAsync(
            project,
            [.. Switches.For(registry, "attested/indexed"), "-p:ImageProvenance=true", "-p:ImageAttestations=Index", "-p:ImageTags=1.0"]
        );
        var index = await registry.ManifestAsync("attested/indexed", "1.0", Cancelled);
        JsonElement[] entries = [.. index.Json.GetProperty("manifests").EnumerateArray()];
        var (image, attestation) = (entries[0].GetProperty("digest").GetString()!, entries[1].GetProperty("digest").GetString()!);

        Assert.Equal(build.Digest, index.Digest);
        Assert.Equal(["1.0"], await registry.TagsAsync("attested/indexed", Cancelled));
        Assert.Equal("unknown", entries[1].GetProperty("platform").GetProperty("os").GetString());
        Assert.Equal(image, entries[1].GetProperty("annotations").GetProperty("vnd.docker.reference.digest").GetString());
        using var statement = await StatementAsync(registry, "attested/indexed", image, attestation);
        Assert.False(statement.RootElement.GetProperty("predicate").GetProperty("runDetails").TryGetProperty("metadata", out _));

        await Skopeo.CopyAsync($"docker://{registry.Host}/attested/indexed:1.0", $"oci:{copies["all"]}:1.0", Cancelled, "--all");
        Assert.True(File.Exists(Path.Combine(copies["all"], "blobs", "sha256", attestation["sha256:".Length..])));
        // Whoever wants one platform gets the image, and meets no entry that is none.
        await Skopeo.CopyAsync($"docker://{registry.Host}/attested/indexed:1.0", $"oci:{copies["one"]}:1.0", Cancelled);
        Assert.True(File.Exists(Path.Combine(copies["one"], "blobs", "sha256", image["sha256:".Length..])));
    }

    [Fact]
    public async Task TheStoreTakesItAndOtherToolsStillReadTheStore()
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        using var folder = new TemporaryFolder();
        var project = await NewAsync(workspace, "Stored");
        string[] store = [$"-p:ImageStore={folder["store"]}"];

        await PublishAsync(
            project,
            [
                .. store,
                "-p:PublishImage=true",
                $"-p:ImageBase={registry.Host}/dotnet/runtime:10.0",
                "-p:ImageProvenance=true",
                "-p:ImageTags=1.0",
                $"-p:ImageArchive={folder["stored.tar"]}",
            ]
        );
        var copy = (
            await project.TargetAsync(
                "CopyImage",
                Cancelled,
                [.. store, "-p:ImageSource=stored:1.0", $"-p:ImageRegistry={registry.Host}", "-p:ImageRepository=attested/stored"]
            )
        ).EnsureSuccess();

        Assert.Contains("1 attached", copy.ToString(), StringComparison.Ordinal);
        var image = await registry.ManifestAsync("attested/stored", "1.0", Cancelled);
        await registry.ManifestAsync("attested/stored", image.Digest.Replace(':', '-'), Cancelled);
        await Skopeo.CopyAsync($"oci:{folder["store"]}:stored:1.0", $"oci:{folder["copy"]}:1.0", Cancelled);
        await Skopeo.CopyAsync($"oci-archive:{folder["stored.tar"]}", $"oci:{folder["archived"]}:1.0", Cancelled);
    }

    [Fact]
    public async Task ATagThatIsSomebodysImageStaysAndNoTagMoves()
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        var project = await NewAsync(workspace, "Taken");
        var build = await PublishAsync(project, [.. Switches.For(registry, "attested/taken"), "-p:ImageTags=1.0"]);
        var tag = build.Digest.Replace(':', '-');
        await Skopeo.CopyAsync(
            $"docker://{registry.Host}/attested/taken:1.0",
            $"docker://{registry.Host}/attested/taken:{tag}",
            Cancelled,
            "--format=v2s2"
        );
        var theirs = await registry.ManifestAsync("attested/taken", tag, Cancelled);

        var refused = await project.RunAsync(
            Attesting(project, [.. Switches.For(registry, "attested/taken"), "-p:ImageTags=2.0", "-p:ImageProvenance=true"]),
            Cancelled
        );

        Assert.Equal(["IMG4017"], refused.Errors.Select(error => error.Code));
        Assert.Equal(theirs.Digest, (await registry.ManifestAsync("attested/taken", tag, Cancelled)).Digest);
        Assert.DoesNotContain("2.0", await registry.TagsAsync("attested/taken", Cancelled));
    }

    private static async Task<TestProject> NewAsync(TestWorkspace workspace, string name) =>
        (await workspace.NewAsync("console", name, Cancelled)).WithImagePublish().PackageReference(Package, Version);

    private static CommandLine Attesting(TestProject project, string[] switches)
    {
        var command = project.Command("publish", switches);
        return command with
        {
            Environment = command.Environment.Concat(GitHub).GroupBy(one => one.Key).ToDictionary(one => one.Key, one => one.Last().Value),
        };
    }

    private static async Task<BuildOutput> PublishAsync(TestProject project, string[] switches) =>
        (await project.RunAsync(Attesting(project, switches), Cancelled)).EnsureSuccess();

    // Down to the bytes: manifest, layer and what is signed for are compared by hashes of openssl's.
    private static async Task<JsonDocument> StatementAsync(DockerRegistry registry, string repository, string image, string attestation)
    {
        var manifest = await registry.ManifestAsync(repository, attestation, Cancelled);
        Assert.Equal(image, manifest.Json.GetProperty("subject").GetProperty("digest").GetString());
        var layer = Assert.Single(manifest.Layers);
        Assert.Equal("application/vnd.in-toto+json", layer.GetProperty("mediaType").GetString());
        var digest = layer.GetProperty("digest").GetString()!;
        var bytes = await Http.GetByteArrayAsync(new Uri(registry.Uri, $"v2/{repository}/blobs/{digest}"), Cancelled);
        using var folder = new TemporaryFolder();
        await File.WriteAllBytesAsync(folder["statement.json"], bytes, Cancelled);
        Assert.Equal(digest, "sha256:" + await HashAsync("sha256", folder["statement.json"]));
        var statement = JsonDocument.Parse(bytes);
        Assert.Equal(
            image,
            "sha256:" + statement.RootElement.GetProperty("subject")[0].GetProperty("digest").GetProperty("sha256").GetString()
        );
        return statement;
    }

    private static async Task CheckAsync(DockerRegistry registry, JsonElement statement, TestProject project)
    {
        Assert.Equal("https://in-toto.io/Statement/v1", statement.GetProperty("_type").GetString());
        Assert.Equal("https://slsa.dev/provenance/v1", statement.GetProperty("predicateType").GetString());
        var definition = statement.GetProperty("predicate").GetProperty("buildDefinition");
        var run = statement.GetProperty("predicate").GetProperty("runDetails");
        Assert.Equal("pkg:nuget/ImagePublish.Tasks#publish-v1", definition.GetProperty("buildType").GetString());
        Assert.Equal(
            "https://github.com/acme/shop/.github/workflows/ci.yml@refs/heads/main",
            run.GetProperty("builder").GetProperty("id").GetString()
        );
        Assert.Equal(
            "https://github.com/acme/shop/actions/runs/4711/attempts/1",
            run.GetProperty("metadata").GetProperty("invocationId").GetString()
        );
        Assert.DoesNotContain(project.Folder, statement.ToString(), StringComparison.Ordinal);
        JsonElement[] materials = [.. definition.GetProperty("resolvedDependencies").EnumerateArray()];
        var source = Find(materials, "git+https://github.com/acme/shop@refs/heads/main");
        Assert.Equal(new string('a', 40), source.GetProperty("digest").GetProperty("gitCommit").GetString());
        var baseImage = await registry.ManifestAsync("dotnet/runtime", "10.0", Cancelled);
        var based = Find(materials, $"pkg:oci/runtime?repository_url={registry.Host}/dotnet/runtime&tag=10.0");
        Assert.Equal(baseImage.Digest, "sha256:" + based.GetProperty("digest").GetProperty("sha256").GetString());

        var package = Find(materials, $"pkg:nuget/{Package}@{Version}");
        using var assets = JsonDocument.Parse(
            await File.ReadAllBytesAsync(Path.Combine(project.Folder, "obj", "project.assets.json"), Cancelled)
        );
        var library = assets.RootElement.GetProperty("libraries").GetProperty($"{Package}/{Version}");
        Assert.Equal(
            library.GetProperty("sha512").GetString(),
            package.GetProperty("annotations").GetProperty("nugetContentHash").GetString()
        );
        var folder = assets.RootElement.GetProperty("packageFolders").EnumerateObject().First().Name;
        var archive = Path.Combine(folder, library.GetProperty("path").GetString()!, $"{Package}.{Version}.nupkg".ToLowerInvariant());
        Assert.Equal(await HashAsync("sha512", archive), package.GetProperty("digest").GetProperty("sha512").GetString());
    }

    private static JsonElement Find(JsonElement[] materials, string uri) =>
        Assert.Single(materials, material => material.TryGetProperty("uri", out var own) && own.GetString() == uri);

    private static async Task<string> HashAsync(string algorithm, string file)
    {
        var output = await new CommandLine("openssl", "dgst", $"-{algorithm}", "-r", file).SucceedAsync(Cancelled);
        return output.Output.Split(' ')[0].Trim();
    }
}
