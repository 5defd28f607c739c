using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using ImagePublish.Tasks.Tests.Support;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>A local store that another user of the machine can write to.</summary>
public sealed class SharedStoreTests(Peers peers) : IDisposable
{
    private const string Area = "Security";
    private const string Repository = "shared/app";

    private readonly TemporaryFolder folder = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    [ReliabilityCase(
        Area,
        "someone rewrites the records of a local store with their own seals and adds a blob; then the store belongs to another " + "user",
        "the next image has the right layer; then IMG3112, or with ImageStoreShared the right layer again"
    )]
    public async Task WhatSomebodyElseWroteIntoTheStoreIsNotBelieved()
    {
        var registry = await peers.RegistryAsync();
        var reference = await SmallBase.PushToAsync(registry, "shared/base:1", Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        var project = workspace.Empty("App").WithImagePublish().Property("OutputType", "Exe").Content("Program.cs", "return;");
        string[] switches =
        [
            .. Switches.Destination(registry, Repository),
            $"-p:ImageBase={reference}",
            "-p:ImageLayering=Single",
            $"-p:ImageStore={folder["store"]}",
        ];
        (await project.PublishAsync(Cancelled, [.. switches, "-p:ImageTags=1.0"])).EnsureSuccess();
        var honest = await LayersAsync(registry, "1.0");

        Poison();
        (await project.PublishAsync(Cancelled, [.. switches, "-p:ImageTags=1.1"])).EnsureSuccess();
        Assert.Equal(honest, await LayersAsync(registry, "1.1"));

        await new CommandLine("chown", "4242", folder["store"]).SucceedAsync(Cancelled);
        var refused = await project.PublishAsync(Cancelled, [.. switches, "-p:ImageTags=1.2"]);
        Assert.False(refused.Succeeded);
        Assert.Contains(refused.Errors, error => error.Code == "IMG3112");
        (await project.PublishAsync(Cancelled, [.. switches, "-p:ImageTags=1.2", "-p:ImageStoreShared=true"])).EnsureSuccess();
        Assert.Equal(honest, await LayersAsync(registry, "1.2"));
    }

    public void Dispose() => folder.Dispose();

    // Each record says what somebody else wants it to say, and has the seal that versions before this one believed.
    private void Poison()
    {
        var evil = Seeding.LayerOf(("app/App.dll", "EVIL"));
        var digest = Digests.Sha256(evil);
        folder.Write(Path.Combine("store", "blobs", "sha256", digest[7..]), "");
        File.WriteAllBytes(folder[Path.Combine("store", "blobs", "sha256", digest[7..])], evil);
        var records = Directory
            .GetFiles(folder[Path.Combine("store", ".imagepublish", "records")], "*", SearchOption.AllDirectories)
            .Where(path => path.Contains("/layers/", StringComparison.Ordinal))
            .ToList();
        Assert.NotEmpty(records);
        foreach (var path in records)
        {
            var layer = JsonNode.Parse(File.ReadAllBytes(path).AsSpan(SHA256.HashSizeInBytes))!;
            layer["digest"] = digest;
            layer["size"] = evil.Length;
            var lie = Encoding.UTF8.GetBytes(layer.ToJsonString());
            File.WriteAllBytes(
                path,
                [.. SHA256.HashData([.. Encoding.UTF8.GetBytes($"layers\nsha256:{Path.GetFileName(path)}\n"), .. lie]), .. lie]
            );
        }
    }

    private static async Task<string[]> LayersAsync(DockerRegistry registry, string tag)
    {
        var manifest = await registry.ManifestAsync(Repository, tag, Cancelled);
        return [.. JsonNode.Parse(manifest.Json.GetRawText())!["layers"]!.AsArray().Select(layer => layer!["digest"]!.GetValue<string>())];
    }
}
