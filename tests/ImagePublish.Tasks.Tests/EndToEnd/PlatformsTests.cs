using System.Text.Json;
using ImagePublish.Tasks.Tests.Config;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>Two platforms in one index, and what their layers contain.</summary>
public sealed class PlatformsTests(PlatformsApp app, Peers peers) : IClassFixture<PlatformsApp>
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TheIndexHasBothWithTheirVariantsAndNoTagsButItsOwn()
    {
        var index = await app.Registry.ManifestAsync(PlatformsApp.Repository, "1.0.0", Cancelled);
        var platforms = index
            .Json.GetProperty("manifests")
            .EnumerateArray()
            .Select(manifest => manifest.GetProperty("platform").GetRawText());

        Assert.Equal(["""{"os":"linux","architecture":"amd64"}""", """{"os":"linux","architecture":"arm64","variant":"v8"}"""], platforms);
        Assert.Equal(index.Digest, app.Published.Digest);
        Assert.Equal(["1.0.0", "latest"], await app.Registry.TagsAsync(PlatformsApp.Repository, Cancelled));
        Assert.Equal(Escaped.Difficult, index.Json.GetProperty("annotations").GetProperty("com.example.difficult").GetString());
    }

    [Theory]
    [InlineData("amd64", "linux-x64")]
    [InlineData("arm64", "linux-arm64")]
    public async Task SkopeoPullsEachWithItsOwnValues(string architecture, string runtimeIdentifier)
    {
        using var inspected = JsonDocument.Parse(await Skopeo.InspectAsync(app.Reference, Cancelled, $"--override-arch={architecture}"));
        var config = inspected.RootElement;

        Assert.Equal(architecture, config.GetProperty("Architecture").GetString());
        Assert.Equal(Escaped.Difficult, config.GetProperty("Labels").GetProperty("com.example.difficult").GetString());
        AssertVariables(
            [.. config.GetProperty("Env").EnumerateArray().Select(variable => variable.GetString()!)],
            architecture,
            runtimeIdentifier
        );
    }

    [Theory]
    [InlineData("amd64", "linux-x64")]
    [InlineData("arm64", "linux-arm64")]
    public async Task DockerPullsEachWithItsOwnValues(string architecture, string runtimeIdentifier)
    {
        var docker = await peers.DockerAsync();
        // An image of Docker's has one platform: each gets a name of its own.
        var reference = $"{app.Registry.Host}/{PlatformsApp.Repository}@{await app.DigestAsync(architecture, Cancelled)}";

        await docker.Command("pull", "--quiet", $"--platform=linux/{architecture}", app.Reference).SucceedAsync(Cancelled);
        var byTag = await docker.InspectAsync(app.Reference, Cancelled);
        await docker.PullAsync(reference, Cancelled);
        var image = await docker.InspectAsync(reference, Cancelled);

        Assert.Equal(architecture, image.GetProperty("Architecture").GetString());
        Assert.Equal(Escaped.Difficult, image.GetProperty("Config").GetProperty("Labels").GetProperty("com.example.difficult").GetString());
        AssertVariables(
            [.. image.GetProperty("Config").GetProperty("Env").EnumerateArray().Select(variable => variable.GetString()!)],
            architecture,
            runtimeIdentifier
        );
        Assert.Equal(image.GetProperty("Id").GetString(), byTag.GetProperty("Id").GetString());
    }

    [Fact]
    [ReliabilityCase(
        "Platforms",
        "a condition on `RuntimeIdentifier` in a portable app that is published once for all platforms",
        "warning IMG1025 at the condition's line; `ImageRuntimeIdentifier` works in both kinds of app"
    )]
    public async Task AConditionThatCanNotHoldIsToldAtItsLine()
    {
        var lines = await File.ReadAllLinesAsync(app.Project.File, Cancelled);

        var warning = Assert.Single(app.Published.Warnings, warning => warning.Code == "IMG1025");

        Assert.Equal(app.Project.File, warning.File);
        Assert.Contains("""Include="NEVER""", lines[warning.Line - 1], StringComparison.Ordinal);
        Assert.Contains("linux-x64, linux-arm64", warning.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task BothShareTheirLayers()
    {
        var first = await app.ImageAsync("amd64", Cancelled);
        var second = await app.ImageAsync("arm64", Cancelled);

        Assert.Equal(first.Layers.Select(layer => layer.GetRawText()), second.Layers.Select(layer => layer.GetRawText()));
        Assert.Equal(
            ["tests", "ImagePublish.Tasks: files", "ImagePublish.Tasks: model", "ImagePublish.Tasks: app"],
            await app.LayerNamesAsync("arm64", Cancelled)
        );
    }

    [Fact]
    public async Task ALayerOfOnesOwnHasItsFileWhereTheBasesLinkLeadsAndThatFolderAsItIs()
    {
        var image = await app.ImageAsync("amd64", Cancelled);

        // The base's /data is a link to /srv/shared, whose owner and mode are its own.
        Assert.Equal(
            ["2775 1654:50 srv/shared/", "755 0:0 srv/shared/models/", "644 0:0 srv/shared/models/m.bin"],
            await app.Registry.EntriesAsync(PlatformsApp.Repository, image.Layers[2], Cancelled)
        );
    }

    [Fact]
    public async Task FilesHaveTheirPlacesModesAndOwnersAndBringNoFolderOfTheBase()
    {
        var image = await app.ImageAsync("amd64", Cancelled);

        Assert.Equal(
            [
                "755 0:0 etc/certs/",
                "640 0:50 etc/certs/a.pem",
                "755 0:0 etc/certs/deep/",
                "640 0:50 etc/certs/deep/b.pem",
                "777 0:0 etc/zone -> /usr/lib/other",
                "2770 1654:1654 srv/own/",
                "644 12:34 usr/lib/m.bin",
            ],
            await app.Registry.EntriesAsync(PlatformsApp.Repository, image.Layers[1], Cancelled)
        );
    }

    [Fact]
    public async Task WhatGoesToTheWorkingDirectoryLiesWithTheAppAndIsItsOwners()
    {
        var image = await app.ImageAsync("amd64", Cancelled);
        var entries = await app.Registry.EntriesAsync(PlatformsApp.Repository, image.Layers[3], Cancelled);

        Assert.Contains("755 1654:50 app/", entries);
        Assert.Contains("644 1654:50 app/Two.dll", entries);
        Assert.Contains("755 1654:50 app/run.sh", entries);
        Assert.Contains("777 0:0 app/bin/run -> ../run.sh", entries);
    }

    [Fact]
    public async Task AnEditOfTheAppMovesTheAppsLayerAlone()
    {
        var before = await app.ImageAsync("amd64", Cancelled);
        app.Project.Content("Program.cs", "return 0; // edited");

        var build = (
            await app.Project.PublishAsync(Cancelled, "-p:PublishImage=true", "-p:ImageRepository=platforms/edited")
        ).EnsureSuccess();

        Assert.NotEqual(app.Published.Digest, build.Digest);
        var index = await app.Registry.ManifestAsync("platforms/edited", "1.0.0", Cancelled);
        var after = await app.Registry.ManifestAsync(
            "platforms/edited",
            index.Json.GetProperty("manifests")[0].GetProperty("digest").GetString()!,
            Cancelled
        );
        Assert.Equal(before.Layers.Take(3).Select(layer => layer.GetRawText()), after.Layers.Take(3).Select(layer => layer.GetRawText()));
    }

    private static void AssertVariables(IReadOnlyList<string> variables, string architecture, string runtimeIdentifier)
    {
        Assert.Contains($"DIFFICULT={Escaped.Difficult}", variables);
        Assert.Contains($"ONLY_ON={runtimeIdentifier}", variables);
        Assert.Contains($"PLATFORM={runtimeIdentifier}", variables);
        Assert.Equal(architecture == "arm64", variables.Contains("ARM=yes"));
        Assert.Equal(architecture == "arm64", variables.Contains("SDK_ARM=yes"));
    }
}
