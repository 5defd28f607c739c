using System.Runtime.InteropServices;
using System.Text.Json;
using ImagePublish.Tasks.Tests.Support;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>Publishes that sign, into a real registry, verified by OpenSSL and by <c>VerifyImage</c>.</summary>
public sealed class SignedImageTests(Peers peers)
{
    private const string ManifestType = "application/vnd.oci.image.manifest.v1+json";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    [ReliabilityCase(
        "Signing",
        "a publish that signs, to a registry without the referrers API (CNCF distribution)",
        "OpenSSL verifies the payload at the tag `sha256-….sig` with the public key, and rejects an altered one; `VerifyImage` "
            + "accepts both forms"
    )]
    public async Task ASignedImageIsVerifiedByOpenSslAndByVerifyImage()
    {
        await using var registry = await DockerRegistry.StartAsync(Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        var project = SignedShop.Create(workspace);
        await MakeKeyAsync(workspace, "signing");
        await MakeKeyAsync(workspace, "other");
        string[] signing = [$"-p:ImageSigningKey={workspace["signing.key"]}"];

        var published = (await SignedShop.PublishAsync(project, registry.Host, signing)).EnsureSuccess();
        Assert.Contains("is signed (ECDSA P-256, Both).", published.Command.All, StringComparison.Ordinal);

        var digest = published.Properties["ImageDigest"];
        var manifest = await SignedShop.GetAsync(registry.Host, $"manifests/{digest.Replace(':', '-')}.sig", ManifestType);
        var layer = JsonElement.Parse(manifest).GetProperty("layers")[0];
        var payload = await SignedShop.GetAsync(registry.Host, $"blobs/{layer.GetProperty("digest").GetString()}", ManifestType);
        Assert.Equal(
            $$$"""{"critical":{"identity":{"docker-reference":"{{{registry.Host}}}/acme/shop:1.0"},"image":{"docker-manifest-digest":"{{{digest}}}"},"type":"cosign container image signature"},"optional":null}""",
            payload
        );
        var signature = layer.GetProperty("annotations").GetProperty("dev.cosignproject.cosign/signature").GetBytesFromBase64();
        await File.WriteAllBytesAsync(workspace["signature"], signature, Cancelled);
        await File.WriteAllTextAsync(workspace["payload"], payload, Cancelled);
        await File.WriteAllTextAsync(workspace["altered"], payload.Replace(":1.0", ":1.1", StringComparison.Ordinal), Cancelled);
        await SignedShop.OpenSslAsync(workspace, "dgst", "-sha256", "-verify", "signing.pub", "-signature", "signature", "payload");
        await Assert.ThrowsAnyAsync<Exception>(() =>
            SignedShop.OpenSslAsync(workspace, "dgst", "-sha256", "-verify", "signing.pub", "-signature", "signature", "altered")
        );

        var verified = (await SignedShop.VerifyAsync(project, registry.Host, workspace["signing.pub"])).EnsureSuccess();
        Assert.Contains("cosign bundle  yes", verified.Command.All, StringComparison.Ordinal);
        Assert.Contains("cosign tag     yes", verified.Command.All, StringComparison.Ordinal);
        Assert.Equal("IMG6018", Assert.Single((await SignedShop.VerifyAsync(project, registry.Host, workspace["other.pub"])).Errors).Code);

        await SignedShop.RequireUnchangedAsync(project, registry, signing);
    }

    [Fact]
    [ReliabilityCase(
        "Signing",
        "a key as the property's value, a variable that is not set, a missing file, a wrong password",
        "IMG6023 before anything is uploaded; the log contains neither key nor password"
    )]
    public async Task AKeyThatCantBeUsedIsReportedBeforeAnythingIsUploaded()
    {
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        var project = SignedShop.Create(workspace);
        await MakeKeyAsync(workspace, "signing");
        await SignedShop.OpenSslAsync(
            workspace,
            "pkcs8",
            "-topk8",
            "-in",
            "signing.key",
            "-passout",
            "pass:right-password",
            "-out",
            "locked.key"
        );
        var key = await File.ReadAllTextAsync(workspace["signing.key"], Cancelled);
        var secret = key.Split('\n')[2];
        var locked = (await File.ReadAllLinesAsync(workspace["locked.key"], Cancelled))[2];

        // MSBuild's own messages have the property, if they are asked for.
        await FailsAsync("-----BEGIN PRIVATE KEY----- MIGHAgEAMBMGByqGSM49", null, "it is a key, not the name of one", "-v:normal");
        await FailsAsync("env:NO_SUCH_KEY", null, "the environment variable 'NO_SUCH_KEY': it is not set");
        await FailsAsync("none.key", null, "there is no such file");
        await FailsAsync(workspace["locked.key"], null, "Set the environment variable IMAGE_SIGNING_PASSWORD");
        await FailsAsync(workspace["locked.key"], "wrong-password", "the password in IMAGE_SIGNING_PASSWORD is wrong");
        Assert.Empty(registry.Content.Repositories);

        var command = SignedShop.Command(project, registry.Host, $"-p:ImageSigningKey=env:SHOP_KEY", "-v:diag");
        command = command with { Environment = With(command, ("SHOP_KEY", key), ("IMAGE_SIGNING_PASSWORD", "right-password")) };
        var published = (await project.RunAsync(command, Cancelled)).EnsureSuccess();
        Assert.Contains("is signed (ECDSA P-256, Both).", published.Command.All, StringComparison.Ordinal);
        Assert.DoesNotContain(secret, published.Command.All, StringComparison.Ordinal);
        Assert.DoesNotContain("right-password", published.Command.All, StringComparison.Ordinal);
        var result = Directory.EnumerateFiles(project.Folder, "*.json", SearchOption.AllDirectories);
        Assert.All(result, file => Assert.DoesNotContain(secret, File.ReadAllText(file), StringComparison.Ordinal));

        async Task FailsAsync(string source, string? password, string reason, string verbosity = "-v:diag")
        {
            var command = SignedShop.Command(project, registry.Host, $"-p:ImageSigningKey={source}", verbosity);
            if (password is not null)
                command = command with { Environment = With(command, ("IMAGE_SIGNING_PASSWORD", password)) };
            var failed = await project.RunAsync(command, Cancelled);
            var error = Assert.Single(failed.Errors);
            Assert.Equal("IMG6023", error.Code);
            Assert.Contains(reason, error.Text, StringComparison.Ordinal);
            Assert.All(["MIGHAgEA", "wrong-password", locked], part =>
                Assert.DoesNotContain(part, failed.Command.All, StringComparison.Ordinal)
            );
        }
    }

    [Fact]
    public async Task OfSeveralPlatformsTheIndexIsSigned()
    {
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        var project = SignedShop.Create(workspace);
        await MakeKeyAsync(workspace, "signing");

        var published = (
            await SignedShop.PublishAsync(
                project,
                registry.Host,
                [$"-p:ImageSigningKey={workspace["signing.key"]}", "-p:ImageRuntimeIdentifiers=linux-x64%3Blinux-arm64"]
            )
        ).EnsureSuccess();

        var digest = published.Properties["ImageDigest"];
        Assert.Equal([$"{digest.Replace(':', '-')}.sig"], registry.Content.Tags("acme/shop").Keys.Where(tag => tag.EndsWith(".sig")));
        var verified = (await SignedShop.VerifyAsync(project, registry.Host, workspace["signing.pub"])).EnsureSuccess();
        Assert.Contains("cosign bundle  yes", verified.Command.All, StringComparison.Ordinal);
    }

    private static Dictionary<string, string?> With(CommandLine command, params (string Name, string Value)[] variables)
    {
        var environment = new Dictionary<string, string?>(command.Environment);
        foreach (var (name, value) in variables)
            environment[name] = value;
        return environment;
    }

    private static async Task MakeKeyAsync(TestWorkspace workspace, string name)
    {
        await SignedShop.OpenSslAsync(
            workspace,
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-out",
            $"{name}.key"
        );
        await SignedShop.OpenSslAsync(workspace, "pkey", "-in", $"{name}.key", "-pubout", "-out", $"{name}.pub");
    }
}
