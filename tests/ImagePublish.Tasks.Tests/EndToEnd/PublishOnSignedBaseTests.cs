using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ImagePublish.Tasks.Tests.Support;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>Bases with signatures that OpenSSL makes as cosign does, and without.</summary>
public sealed class PublishOnSignedBaseTests(Peers peers)
{
    private const string BundleType = "application/vnd.dev.sigstore.bundle.v0.3+json";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    [ReliabilityCase(
        "Security",
        "the base image is not signed, signed with another key, or its signature was altered, and `ImageBaseTrust` names a key",
        "nothing of the base is uploaded or mounted, and no tag is moved (IMG6017, IMG6018)"
    )]
    public async Task OnlyASignedBaseIsUsed()
    {
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        var project = workspace.Empty("App").WithImagePublish().Property("OutputType", "Exe").Content("Program.cs", "return;");
        var config = Seeding.ConfigOf(RuntimeInformation.OSArchitecture == Architecture.Arm64 ? "arm64" : "amd64");
        registry.SeedImage("tools", "1.0", [Seeding.LayerOf(("etc/tools", "tools"))], config);
        project
            .Property("ToolsTrust", "none")
            .Item("ImageFile", "/etc/tools", ("From", $"{registry.Host}/tools:1.0"), ("Trust", "$(ToolsTrust)"));
        var digest = registry.SeedImage("base", "1.0", [Seeding.LayerOf(("etc/base", "base"))], config).Digest;
        await MakeKeyAsync(workspace, "cosign");
        await MakeKeyAsync(workspace, "other");

        var unsigned = await PublishAsync(workspace, project, registry);
        Assert.Equal("IMG6017", Assert.Single(unsigned.Errors).Code);
        await PutTagAsync(workspace, registry, digest, "other");
        var foreign = await PublishAsync(workspace, project, registry);
        Assert.Equal("IMG6018", Assert.Single(foreign.Errors).Code);
        Assert.Empty(registry.Content.Tags("shop"));
        Assert.Equal(0, registry.Requests.CountOf(RegistryStep.MountPost) + registry.Requests.CountOf(RegistryStep.UploadPost));

        await PutBundleAsync(workspace, registry, digest, "cosign");
        var signed = (await PublishAsync(workspace, project, registry)).EnsureSuccess();
        Assert.Contains(
            $"The base image {registry.Host}/base:1.0 is signed by the key of cosign.pub (cosign bundle).",
            signed.Command.All,
            StringComparison.Ordinal
        );

        // What was verified is not asked for again.
        registry.Requests.Clear();
        Assert.Contains(
            "(unchanged)",
            (await PublishAsync(workspace, project, registry)).EnsureSuccess().Command.All,
            StringComparison.Ordinal
        );
        Assert.Equal(0, registry.Requests.CountOf(RegistryStep.Referrers));

        // The image of the item is not signed: it is used since the item trusts everybody.
        var error = Assert.Single((await PublishAsync(workspace, project, registry, "-p:ToolsTrust=")).Errors);
        Assert.Equal("IMG6017", error.Code);
        Assert.Contains("set the item's metadata Trust", error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task VerifyImageShowsEachSignatureAndFailsWhereNoneIsAccepted()
    {
        await using var registry = await TestRegistry.StartAsync(options => options.Content.Referrers = false, Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        var project = workspace.Empty("App").WithImagePublish().Property("OutputType", "Exe").Content("Program.cs", "return;");
        var digest = registry.SeedImage("acme/shop", "1.0", [Seeding.LayerOf(("etc/base", "base"))], Seeding.ConfigOf("amd64")).Digest;
        await MakeKeyAsync(workspace, "cosign");
        await MakeKeyAsync(workspace, "other");
        await PutTagAsync(workspace, registry, digest, "cosign", "acme/shop");
        string[] arguments = [$"-p:ImageSource={registry.Host}/acme/shop:1.0", $"-p:ImageBaseTrust={workspace["cosign.pub"]}"];

        var accepted = (await project.TargetAsync("VerifyImage", Cancelled, arguments)).EnsureSuccess();
        Assert.Contains("cosign tag  yes", accepted.Command.All, StringComparison.Ordinal);
        var item = (await ResultAsync(project)).EnumerateArray().Single();
        Assert.Equal($"{registry.Host}/acme/shop@{digest}", item.GetProperty("identity").GetString());
        Assert.True(item.GetProperty("verified").GetBoolean());
        Assert.Equal("the key of cosign.pub", item.GetProperty("signer").GetString());

        var refused = await project.TargetAsync("VerifyImage", Cancelled, [arguments[0], $"-p:ImageBaseTrust={workspace["other.pub"]}"]);
        Assert.Equal("IMG6018", Assert.Single(refused.Errors).Code);
        var problem = (await ResultAsync(project)).EnumerateArray().Single();
        Assert.False(problem.GetProperty("verified").GetBoolean());
        Assert.Equal("IMG6018", problem.GetProperty("code").GetString());

        var noTrust = await project.TargetAsync("VerifyImage", Cancelled, arguments[0]);
        Assert.Equal("IMG1031", Assert.Single(noTrust.Errors).Code);
        var noKey = await project.TargetAsync("VerifyImage", Cancelled, [arguments[0], "-p:ImageBaseTrust=missing.pub"]);
        Assert.Equal("IMG6016", Assert.Single(noKey.Errors).Code);
    }

    private static async Task<JsonElement> ResultAsync(TestProject project)
    {
        var file = Directory.EnumerateFiles(project.Folder, "ImagePublish.VerifyImage.json", SearchOption.AllDirectories).Single();
        return JsonElement.Parse(await File.ReadAllTextAsync(file, Cancelled)).GetProperty("items");
    }

    private static Task<BuildOutput> PublishAsync(
        TestWorkspace workspace,
        TestProject project,
        TestRegistry registry,
        params string[] arguments
    ) =>
        project.PublishAsync(
            Cancelled,
            [
                "-p:PublishImage=true",
                $"-p:ImageRegistry={registry.Host}",
                "-p:ImageRepository=shop",
                $"-p:ImageBase={registry.Host}/base:1.0",
                $"-p:ImageBaseTrust={workspace["cosign.pub"]}",
                "-p:ImageDoctor=Off",
                .. arguments,
            ]
        );

    private static async Task MakeKeyAsync(TestWorkspace workspace, string name)
    {
        await OpenSslAsync(workspace, "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", $"{name}.key");
        await OpenSslAsync(workspace, "ec", "-in", $"{name}.key", "-pubout", "-out", $"{name}.pub");
    }

    private static async Task PutTagAsync(
        TestWorkspace workspace,
        TestRegistry registry,
        string digest,
        string key,
        string repository = "base"
    )
    {
        var payload = Encoding.UTF8.GetBytes(
            $$$"""{"critical":{"identity":{"docker-reference":""},"image":{"docker-manifest-digest":"{{{digest}}}"},"type":"cosign container image signature"},"optional":null}"""
        );
        var layer = Descriptor(registry, repository, "application/vnd.dev.cosign.simplesigning.v1+json", payload);
        layer["annotations"] = new JsonObject { ["dev.cosignproject.cosign/signature"] = await SignAsync(workspace, key, payload) };
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = "application/vnd.oci.image.manifest.v1+json",
            ["config"] = Descriptor(registry, repository, "application/vnd.oci.image.config.v1+json", "{}"u8.ToArray()),
            ["layers"] = new JsonArray(layer),
        };
        Put(registry, repository, digest.Replace(':', '-') + ".sig", manifest);
    }

    private static async Task PutBundleAsync(TestWorkspace workspace, TestRegistry registry, string digest, string key)
    {
        var statement =
            $$$"""{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"{{{digest["sha256:".Length..]}}}"}}],"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{}}""";
        var framed = string.Create(CultureInfo.InvariantCulture, $"DSSEv1 28 application/vnd.in-toto+json {statement.Length} {statement}");
        var bundle = new JsonObject
        {
            ["mediaType"] = BundleType,
            ["verificationMaterial"] = new JsonObject { ["publicKey"] = new JsonObject { ["hint"] = "" } },
            ["dsseEnvelope"] = new JsonObject
            {
                ["payload"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(statement)),
                ["payloadType"] = "application/vnd.in-toto+json",
                ["signatures"] = new JsonArray(
                    new JsonObject { ["sig"] = await SignAsync(workspace, key, Encoding.UTF8.GetBytes(framed)) }
                ),
            },
        };
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = "application/vnd.oci.image.manifest.v1+json",
            ["artifactType"] = BundleType,
            ["config"] = Descriptor(registry, "base", "application/vnd.oci.empty.v1+json", "{}"u8.ToArray()),
            ["layers"] = new JsonArray(Descriptor(registry, "base", BundleType, Encoding.UTF8.GetBytes(bundle.ToJsonString()))),
            ["subject"] = new JsonObject
            {
                ["mediaType"] = "application/vnd.oci.image.manifest.v1+json",
                ["digest"] = digest,
                ["size"] = 1,
            },
        };
        Put(registry, "base", null, manifest);
    }

    private static void Put(TestRegistry registry, string repository, string? tag, JsonObject manifest) =>
        registry.Content.PutManifest(
            repository,
            tag,
            Encoding.UTF8.GetBytes(manifest.ToJsonString()),
            "application/vnd.oci.image.manifest.v1+json"
        );

    private static JsonObject Descriptor(TestRegistry registry, string repository, string mediaType, byte[] content) =>
        new()
        {
            ["mediaType"] = mediaType,
            ["digest"] = registry.Content.PutBlob(repository, content),
            ["size"] = content.Length,
        };

    private static async Task<string> SignAsync(TestWorkspace workspace, string key, byte[] data)
    {
        await File.WriteAllBytesAsync(workspace["data"], data, Cancelled);
        await OpenSslAsync(workspace, "dgst", "-sha256", "-sign", $"{key}.key", "-out", "signature", "data");
        return Convert.ToBase64String(await File.ReadAllBytesAsync(workspace["signature"], Cancelled));
    }

    private static Task OpenSslAsync(TestWorkspace workspace, params string[] arguments) =>
        new CommandLine("openssl", arguments) { WorkingDirectory = workspace.Path }.SucceedAsync(Cancelled);
}
