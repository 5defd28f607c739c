using System.Runtime.InteropServices;
using System.Text.Json;
using ImagePublish.Tasks.Tests.Fixtures;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>Publishes that sign, into a real registry, verified by OpenSSL and by <c>VerifyImage</c>.</summary>
public sealed class SignedImageTests(Peers peers)
{
    private static readonly HttpClient Http = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    [ReliabilityCase(
        "Signing",
        "a publish that signs, to a registry without the referrers API (CNCF distribution)",
        "OpenSSL verifies the payload at the tag `sha256-….sig` with the public key and not an altered one; `VerifyImage` accepts both forms"
    )]
    public async Task ASignedImageIsVerifiedByOpenSslAndByVerifyImage()
    {
        await using var registry = await DockerRegistry.StartAsync(Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        var project = App(workspace);
        await MakeKeyAsync(workspace, "signing");
        await MakeKeyAsync(workspace, "other");
        string[] signing = [$"-p:ImageSigningKey={workspace["signing.key"]}"];

        var published = (await PublishAsync(project, registry.Host, signing)).EnsureSuccess();
        Assert.Contains("is signed (ECDSA P-256, Both).", published.Command.All, StringComparison.Ordinal);

        var digest = published.Properties["ImageDigest"];
        var manifest = await GetAsync(registry, $"manifests/{digest.Replace(':', '-')}.sig");
        var layer = JsonElement.Parse(manifest).GetProperty("layers")[0];
        var payload = await GetAsync(registry, $"blobs/{layer.GetProperty("digest").GetString()}");
        Assert.Equal(
            $$$"""{"critical":{"identity":{"docker-reference":"{{{registry.Host}}}/acme/shop:1.0"},"image":{"docker-manifest-digest":"{{{digest}}}"},"type":"cosign container image signature"},"optional":null}""",
            payload
        );
        var signature = layer.GetProperty("annotations").GetProperty("dev.cosignproject.cosign/signature").GetBytesFromBase64();
        await File.WriteAllBytesAsync(workspace["signature"], signature, Cancelled);
        await File.WriteAllTextAsync(workspace["payload"], payload, Cancelled);
        await File.WriteAllTextAsync(workspace["altered"], payload.Replace(":1.0", ":1.1", StringComparison.Ordinal), Cancelled);
        await OpenSslAsync(workspace, "dgst", "-sha256", "-verify", "signing.pub", "-signature", "signature", "payload");
        await Assert.ThrowsAnyAsync<Exception>(() =>
            OpenSslAsync(workspace, "dgst", "-sha256", "-verify", "signing.pub", "-signature", "signature", "altered")
        );

        var verified = (await VerifyAsync(project, registry.Host, workspace["signing.pub"])).EnsureSuccess();
        Assert.Contains("cosign bundle  yes", verified.Command.All, StringComparison.Ordinal);
        Assert.Contains("cosign tag     yes", verified.Command.All, StringComparison.Ordinal);
        Assert.Equal("IMG6018", Assert.Single((await VerifyAsync(project, registry.Host, workspace["other.pub"])).Errors).Code);

        registry.ForgetRequests();
        Assert.Contains(
            "(unchanged)",
            (await PublishAsync(project, registry.Host, signing)).EnsureSuccess().Command.All,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain(registry.Requests, request => request.Method is "PUT" or "POST");
    }

    [Fact]
    [ReliabilityCase(
        "Signing",
        "a key in the property itself, a variable that is not set, a file that is missing, a wrong password",
        "IMG6023 before anything is uploaded; neither key nor password is in the log"
    )]
    public async Task AKeyThatCantBeUsedIsReportedBeforeAnythingIsUploaded()
    {
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        var project = App(workspace);
        await MakeKeyAsync(workspace, "signing");
        await OpenSslAsync(workspace, "pkcs8", "-topk8", "-in", "signing.key", "-passout", "pass:right-password", "-out", "locked.key");
        var key = await File.ReadAllTextAsync(workspace["signing.key"], Cancelled);
        var secret = key.Split('\n')[2];

        await FailsAsync("-----BEGIN PRIVATE KEY----- MIGHAgEAMBMGByqGSM49", null, "it is a key and not the name of one");
        await FailsAsync("env:NO_SUCH_KEY", null, "the environment variable 'NO_SUCH_KEY': it is not set");
        await FailsAsync("none.key", null, "there is no such file");
        await FailsAsync(workspace["locked.key"], null, "Set the environment variable IMAGE_SIGNING_PASSWORD");
        await FailsAsync(workspace["locked.key"], "wrong-password", "the password in IMAGE_SIGNING_PASSWORD is wrong");
        Assert.Empty(registry.Content.Repositories);

        var command = Command(project, registry.Host, $"-p:ImageSigningKey=env:SHOP_KEY", "-v:diag");
        command = command with { Environment = With(command, ("SHOP_KEY", key), ("IMAGE_SIGNING_PASSWORD", "right-password")) };
        var published = (await project.RunAsync(command, Cancelled)).EnsureSuccess();
        Assert.Contains("is signed (ECDSA P-256, Both).", published.Command.All, StringComparison.Ordinal);
        Assert.DoesNotContain(secret, published.Command.All, StringComparison.Ordinal);
        Assert.DoesNotContain("right-password", published.Command.All, StringComparison.Ordinal);
        var result = Directory.EnumerateFiles(project.Folder, "*.json", SearchOption.AllDirectories);
        Assert.All(result, file => Assert.DoesNotContain(secret, File.ReadAllText(file), StringComparison.Ordinal));

        async Task FailsAsync(string source, string? password, string reason)
        {
            var command = Command(project, registry.Host, $"-p:ImageSigningKey={source}");
            if (password is not null)
                command = command with { Environment = With(command, ("IMAGE_SIGNING_PASSWORD", password)) };
            var error = Assert.Single((await project.RunAsync(command, Cancelled)).Errors);
            Assert.Equal("IMG6023", error.Code);
            Assert.Contains(reason, error.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("MIGHAgEA", error.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("wrong-password", error.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task OfSeveralPlatformsTheIndexIsSigned()
    {
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        var project = App(workspace);
        await MakeKeyAsync(workspace, "signing");

        var published = (
            await PublishAsync(
                project,
                registry.Host,
                [$"-p:ImageSigningKey={workspace["signing.key"]}", "-p:ImageRuntimeIdentifiers=linux-x64%3Blinux-arm64"]
            )
        ).EnsureSuccess();

        var digest = published.Properties["ImageDigest"];
        Assert.Equal([$"{digest.Replace(':', '-')}.sig"], registry.Content.Tags("acme/shop").Keys.Where(tag => tag.EndsWith(".sig")));
        var verified = (await VerifyAsync(project, registry.Host, workspace["signing.pub"])).EnsureSuccess();
        Assert.Contains("cosign bundle  yes", verified.Command.All, StringComparison.Ordinal);
    }

    private static TestProject App(TestWorkspace workspace) =>
        workspace.Empty("App").WithImagePublish().Property("OutputType", "Exe").Content("Program.cs", "return;");

    private static Task<BuildOutput> PublishAsync(TestProject project, string registry, string[] arguments) =>
        project.RunAsync(Command(project, registry, arguments), Cancelled);

    private static CommandLine Command(TestProject project, string registry, params string[] arguments) =>
        project.Command(
            "publish",
            [
                "-p:PublishImage=true",
                $"-p:ImageRegistry={registry}",
                "-p:ImageRepository=acme/shop",
                "-p:ImageTags=1.0",
                "-p:ImageBase=scratch",
                "-p:ImageDoctor=Off",
                .. arguments,
            ]
        );

    private static Dictionary<string, string?> With(CommandLine command, params (string Name, string Value)[] variables)
    {
        var environment = new Dictionary<string, string?>(command.Environment);
        foreach (var (name, value) in variables)
            environment[name] = value;
        return environment;
    }

    private static Task<BuildOutput> VerifyAsync(TestProject project, string registry, string key) =>
        project.TargetAsync("VerifyImage", Cancelled, $"-p:ImageSource={registry}/acme/shop:1.0", $"-p:ImageBaseTrust={key}");

    private static async Task<string> GetAsync(DockerRegistry registry, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(registry.Uri, $"v2/acme/shop/{path}"));
        request.Headers.TryAddWithoutValidation("Accept", "application/vnd.oci.image.manifest.v1+json");
        using var response = await Http.SendAsync(request, Cancelled);
        return await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync(Cancelled);
    }

    private static async Task MakeKeyAsync(TestWorkspace workspace, string name)
    {
        await OpenSslAsync(workspace, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", $"{name}.key");
        await OpenSslAsync(workspace, "pkey", "-in", $"{name}.key", "-pubout", "-out", $"{name}.pub");
    }

    private static Task OpenSslAsync(TestWorkspace workspace, params string[] arguments) =>
        new CommandLine("openssl", arguments) { WorkingDirectory = workspace.Path }.SucceedAsync(Cancelled);
}
