using System.Runtime.InteropServices;
using ImagePublish.Commands;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Storage.Archives;
using ImagePublish.Tasks.Tests.EndToEnd;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.Storage;

/// <summary>
/// Images for an inner loop without a registry: in a real containerd, whose part for Kubernetes lists them, and by the documented commands
/// of nerdctl and kind, whose stand-ins do with that containerd what the programs do with theirs.
/// </summary>
public sealed class LocalClusterTests(Peers peers, LocalCluster cluster) : IClassFixture<LocalCluster>, IDisposable
{
    private const string Kubernetes = "k8s.io";
    private const string Managed = "io.cri-containerd.image=managed";

    // What the programs check and run; kind does it in each of its nodes.
    private const string Nerdctl = """
        #!/bin/sh
        namespace=default
        if [ "$1" = --namespace ]; then namespace=$2; shift 2; fi
        [ "$*" = load ] || { echo "FATA[0000] unknown command \"$*\" for \"nerdctl\"" >&2; exit 1; }
        [ -p /dev/stdin ] || { echo "FATA[0000] stdin is empty and input flag is not specified" >&2; exit 1; }
        exec ctr --namespace "$namespace" images import -
        """;

    private const string Kind = """
        #!/bin/sh
        [ "$1 $2" = "load image-archive" ] && [ -f "$3" ] || { echo "ERROR: unknown command \"$*\"" >&2; exit 1; }
        name=kind
        [ "$4" != --name ] || name=$5
        [ "$name" = dev ] || { echo "ERROR: no nodes found for cluster \"$name\"" >&2; exit 1; }
        exec ctr --namespace=k8s.io images import --all-platforms --digests --snapshotter=native - < "$3"
        """;

    private readonly TemporaryFolder folder = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private Containerd Containerd => cluster.Containerd;

    private static string ThisMachine => RuntimeInformation.OSArchitecture == Architecture.Arm64 ? "arm64" : "amd64";

    [Fact]
    public async Task OnlyTheLayersThatTheNamespaceLacksAreSent()
    {
        var first = PeerImage.Create(ThisMachine, "ctr-base", "ctr-one");
        var second = PeerImage.Create(ThisMachine, "ctr-base", "ctr-two");
        var client = new ContainerdClient("layers", Containerd.Address, cluster.Ctr);

        var whole = await client.LoadAsync(ArchiveImage.Create(first, "acme/ctr:1"), Cancelled);
        var part = await client.LoadAsync(ArchiveImage.Create(second, "acme/ctr:2"), Cancelled);
        var elsewhere = await new ContainerdClient("layers-elsewhere", Containerd.Address, cluster.Ctr).LoadAsync(
            ArchiveImage.Create(second, "acme/ctr:2"),
            Cancelled
        );

        Assert.Equal(0, whole.KnownBytes);
        Assert.Equal(first.Layers[0].Descriptor.Size, part.KnownBytes);
        Assert.Equal(0, elsewhere.KnownBytes);
        Assert.Equal(["docker.io/acme/ctr:1", "docker.io/acme/ctr:2"], await Containerd.ReadyAsync("layers", Cancelled));
        Assert.Equal(["docker.io/acme/ctr:2"], await Containerd.ReadyAsync("layers-elsewhere", Cancelled));
    }

    // The stand-in lists layers that containerd has removed by the time of the import.
    [Fact]
    public async Task WhatContainerdRemovesMeanwhileIsSentAfterAll()
    {
        var image = PeerImage.Create(ThisMachine, "gone-one", "gone-two");
        var listed = string.Join("\\n", image.Layers.Select(layer => layer.Descriptor.Digest));
        var forgetful = folder.WriteProgram(
            "forgetful-ctr",
            $"""
            #!/bin/sh
            case "$*" in
              *"content ls"*) if [ ! -e {folder["asked"]} ]; then touch {folder["asked"]}; printf '{listed}\n'; exit 0; fi ;;
            esac
            exec {cluster.Ctr} "$@"
            """
        );

        var loaded = await new ContainerdClient("forgetful", Containerd.Address, forgetful).LoadAsync(
            ArchiveImage.Create(image, "acme/gone:1"),
            Cancelled
        );

        Assert.Equal(0, loaded.KnownBytes);
        Assert.Equal(["docker.io/acme/gone:1"], await Containerd.ReadyAsync("forgetful", Cancelled));
    }

    [Fact]
    public async Task AllPlatformsArriveAlsoWhereNoneIsOfThisMachine()
    {
        Image[] images = [PeerImage.Create(ThisMachine, "own"), PeerImage.Create("s390x", "foreign-one")];
        Image[] foreign = [PeerImage.Create("riscv64", "foreign-two"), PeerImage.Create("s390x", "foreign-three")];
        var client = new ContainerdClient("platforms", Containerd.Address, cluster.Ctr);
        var preferred = Platform.Parse($"linux/{ThisMachine}");

        foreach (var (platforms, name) in new[] { (images, "acme/both:1"), (foreign, "acme/foreign:1") })
            await client.LoadAsync(new ArchiveImage(PeerImage.Index(platforms), platforms, [name]) { Preferred = preferred }, Cancelled);

        Assert.Equal(["docker.io/acme/both:1"], await Containerd.ReadyAsync("platforms", Cancelled));
        var content = await Containerd.ContentAsync("platforms", Cancelled);
        Assert.All(images.Concat(foreign).SelectMany(image => image.Layers), layer =>
            Assert.Contains(layer.Descriptor.Digest.Value, content)
        );
    }

    [Fact]
    public async Task AContainerdThatDoesNotAnswerIsNamedWithWhatToDo()
    {
        var client = new ContainerdClient("default", folder["nobody.sock"], cluster.Ctr);

        var failure = await Assert.ThrowsAsync<ImagePublishException>(() =>
            client.LoadAsync(ArchiveImage.Create(PeerImage.Create(ThisMachine, "nowhere"), "acme/nowhere:1"), Cancelled)
        );

        Assert.Equal(DiagnosticCodes.EngineFailed, failure.Code);
        Assert.Contains(folder["nobody.sock"], failure.Message, StringComparison.Ordinal);
        Assert.Contains("CONTAINERD_ADDRESS", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task APublishedImageRunsAndKubernetesListsIt()
    {
        using var workspace = await peers.WorkspaceAsync();
        var registry = await peers.RegistryAsync();
        var from = await SmallBase.PushToAsync(registry, "local-cluster/base:1", Cancelled);
        var project = workspace
            .Empty("Shop")
            .WithImagePublish()
            .Property("OutputType", "Exe")
            .Property("UseAppHost", "false")
            .Property("ImageBase", from)
            .Property("ImageRepository", "acme/shop")
            .Content("Program.cs", "return;")
            .Item("ImageEntrypoint", "/bin/sh;-c;cat /etc/zone");

        var wrong = await LoadAsync(project, "publish", "containerd:../x", "-p:ImageTags=0", $"-p:ImageRegistry={registry.Host}");
        var loaded = await LoadAsync(project, "publish", "containerd:k8s.io", "-p:ImageTags=1");
        var run = await Containerd
            .Command(Kubernetes, "run", "--rm", "--snapshotter", "native", "docker.io/acme/shop:1", "shop")
            .RunAsync(Cancelled);
        var kind = await LoadAsync(project, "build", "kind:dev", "-c", "Release", "-t:PublishImage", "-p:NoBuild=true", "-p:ImageTags=2 3");
        var noCluster = await LoadAsync(project, "build", "kind", "-c", "Release", "-t:PublishImage", "-p:NoBuild=true", "-p:ImageTags=2");
        var nerdctl = await LoadAsync(
            project,
            "build",
            "nerdctl:team",
            "-c",
            "Release",
            "-t:PublishImage",
            "-p:NoBuild=true",
            "-p:ImageTagPolicy=None"
        );

        Assert.Contains("error IMG1007: ImageLoad has the value 'containerd:../x': expected", wrong.All, StringComparison.Ordinal);
        Assert.Empty(await registry.TagsAsync("acme/shop", Cancelled));
        Assert.Contains(
            "Loaded into containerd, namespace k8s.io: docker.io/acme/shop:1 (",
            loaded.EnsureSuccess().Output,
            StringComparison.Ordinal
        );
        Assert.Contains("kubectl run shop --image=acme/shop:1 --image-pull-policy=Never", loaded.Output, StringComparison.Ordinal);
        Assert.Equal("UTC", run.EnsureSuccess().Output.Trim());
        Assert.Contains("Loaded into kind, cluster dev: acme/shop:2, acme/shop:3 (", kind.EnsureSuccess().Output, StringComparison.Ordinal);
        Assert.Contains(
            "error IMG3108: 'kind load image-archive' failed: ERROR: no nodes found for cluster \"kind\".",
            noCluster.All,
            StringComparison.Ordinal
        );
        Assert.Contains("Loaded into nerdctl, namespace team: acme/shop@sha256:", nerdctl.EnsureSuccess().Output, StringComparison.Ordinal);
        Assert.StartsWith(
            "docker.io/acme/shop@sha256:",
            Assert.Single(await Containerd.ReadyAsync("team", Cancelled)),
            StringComparison.Ordinal
        );
        // Kubernetes marks what it lists, and a pod's 'acme/shop:1' is its 'docker.io/acme/shop:1'.
        var listed = await ListedByKubernetesAsync();
        Assert.All(["1", "2", "3"], tag =>
            Assert.Contains(listed, line => line.StartsWith($"docker.io/acme/shop:{tag} ", StringComparison.Ordinal))
        );
    }

    public void Dispose() => folder.Dispose();

    private Task<CommandOutput> LoadAsync(TestProject project, string verb, string load, params string[] switches)
    {
        folder.WriteProgram("nerdctl", Nerdctl);
        folder.WriteProgram("kind", Kind);
        var command = project.Command(verb, ["-p:PublishImage=true", $"-p:ImageLoad={load}", .. switches]);
        return (
            command with
            {
                Environment = new Dictionary<string, string?>([.. command.Environment, .. Containerd.Environment])
                {
                    ["PATH"] = $"{folder.Path}:{Environment.GetEnvironmentVariable("PATH")}",
                },
            }
        ).RunAsync(Cancelled);
    }

    // It hears of an import a moment later.
    private async Task<IReadOnlyList<string>> ListedByKubernetesAsync()
    {
        for (var tries = 0; ; tries++)
        {
            var images = (await Containerd.Command(Kubernetes, "images", "ls").SucceedAsync(Cancelled)).Output.Split('\n');
            string[] own = [.. images.Where(line => line.StartsWith("docker.io/acme/shop:", StringComparison.Ordinal))];
            if (tries == 100 || (own.Length >= 3 && own.All(line => line.Contains(Managed, StringComparison.Ordinal))))
                return [.. own.Where(line => line.Contains(Managed, StringComparison.Ordinal))];
            await Task.Delay(50, Cancelled);
        }
    }
}

/// <summary>One containerd for all these tests.</summary>
public sealed class LocalCluster : IAsyncLifetime
{
    private readonly TemporaryFolder folder = new();

    public Containerd Containerd { get; private set; } = null!;

    /// <summary>Containerd's client with the variables that a build would have.</summary>
    public string Ctr { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        Containerd = await Containerd.StartAsync(CancellationToken.None);
        Ctr = folder.WriteProgram(
            "ctr",
            """
            #!/bin/sh
            export CONTAINERD_SNAPSHOTTER=native
            exec /usr/bin/ctr "$@"
            """
        );
    }

    public async ValueTask DisposeAsync()
    {
        await Containerd.DisposeAsync();
        folder.Dispose();
    }
}
