using System.Net;

namespace ImagePublish.Tasks.Tests.Support;

public sealed class PeersTests(Peers peers)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TheBaseImageRunsDotNetInDocker()
    {
        var docker = await peers.DockerAsync();
        var registry = await peers.RegistryAsync();
        var reference = $"{registry.Host}/dotnet/aspnet:10.0";

        await docker.PullAsync(reference, Cancelled);
        var run = await docker.RunAsync(Cancelled, "--user=app", reference, "dotnet", "--list-runtimes");
        var image = await docker.InspectAsync(reference, Cancelled);

        Assert.Equal(0, run.ExitCode);
        var dotnet = DotNetInstallation.Find();
        Assert.Contains($"Microsoft.NETCore.App {dotnet.RuntimeVersion} ", run.Output, StringComparison.Ordinal);
        Assert.Contains($"Microsoft.AspNetCore.App {dotnet.AspNetVersion} ", run.Output, StringComparison.Ordinal);
        Assert.Equal(4, image.GetProperty("RootFS").GetProperty("Layers").GetArrayLength());
    }

    [Fact]
    public async Task AWebAppInDockerAnswersOnItsPort()
    {
        var docker = await peers.DockerAsync();
        var registry = await peers.RegistryAsync();
        const string Script = """
            use IO::Socket; my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $ENV{ASPNETCORE_HTTP_PORTS}, Listen => 5, ReuseAddr => 1);
            while (my $c = $s->accept) { <$c>; print $c "HTTP/1.0 204 No Content\r\n\r\n"; close $c }
            """;

        await using var container = await docker.StartAsync($"{registry.Host}/dotnet/runtime-deps:10.0", ["perl", "-e", Script], Cancelled);
        using var answer = await container.GetAsync("/", Cancelled);

        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
    }

    [Fact]
    public async Task TheBaseImageIsAnIndexInOneTagAndOfDockersFamilyInTheOther()
    {
        var registry = await peers.RegistryAsync();

        var index = await SkopeoAsync(registry, "inspect", "--raw", "dotnet/aspnet:10.0");
        var single = await SkopeoAsync(registry, "inspect", "--raw", "dotnet/aspnet:10.0-docker");
        var config = await SkopeoAsync(registry, "inspect", "--config", "--raw", "dotnet/aspnet:10.0-docker");

        Assert.Contains("\"architecture\":\"arm64\"", index, StringComparison.Ordinal);
        Assert.Contains("application/vnd.docker.distribution.manifest.v2+json", single, StringComparison.Ordinal);
        Assert.Contains(BaseImage.UnknownConfigField, config, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ARegistryKeepsItsPortAndBlobsWhenItComesBack()
    {
        await using var registry = await DockerRegistry.StartAsync(Cancelled);
        await (await peers.BaseImageAsync()).PushToAsync(registry, Cancelled);
        var (host, stored) = (registry.Host, registry.StoredBytes);

        await registry.StopAsync(kill: true);
        await registry.StartAgainAsync(Cancelled);
        await SkopeoAsync(registry, "inspect", "--raw", "dotnet/runtime:10.0");

        Assert.Equal(host, registry.Host);
        Assert.Equal(stored, registry.StoredBytes);
        Assert.Contains(registry.Requests, request => request is { Method: "GET", Path: "/v2/dotnet/runtime/manifests/10.0", Status: 200 });
    }

    [Fact]
    public async Task ARegistryWithAPasswordAndACertificateLetsOnlyItsUserIn()
    {
        await using var registry = await DockerRegistry.StartAsync(
            new DockerRegistryOptions
            {
                UserName = "ann",
                Password = "pä ss:word",
                Tls = true,
            },
            Cancelled
        );
        string[] tags = ["--insecure-policy", "list-tags", $"--cert-dir={Path.GetDirectoryName(registry.CertificateAuthority)}"];

        var stranger = await new CommandLine("skopeo", [.. tags, "--no-creds", $"docker://{registry.Host}/a"]).RunAsync(Cancelled);
        var user = await new CommandLine("skopeo", [.. tags, "--creds=ann:pä ss:word", $"docker://{registry.Host}/a"]).RunAsync(Cancelled);

        Assert.Contains("authentication required", stranger.All, StringComparison.Ordinal);
        Assert.Matches("404|repository name not known", user.All);
    }

    private static async Task<string> SkopeoAsync(DockerRegistry registry, string verb, params string[] arguments)
    {
        var command = new CommandLine(
            "skopeo",
            ["--insecure-policy", verb, "--tls-verify=false", .. arguments[..^1], $"docker://{registry.Host}/{arguments[^1]}"]
        );
        return (await command.SucceedAsync(Cancelled)).Output;
    }
}
