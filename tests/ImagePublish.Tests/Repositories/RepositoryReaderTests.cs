using System.Text;
using System.Text.Json.Nodes;
using ImagePublish.Commands;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Testing;
using ImagePublish.Tests.Registries;
using MediaTypes = ImagePublish.Oci.MediaTypes;

namespace ImagePublish.Tests.Repositories;

public sealed class RepositoryReaderTests
{
    private const string Shop = RepositoryBench.Shop;

    [Fact]
    public async Task ImagesAreThereOnceWithAllTheirTagsAndTheNewestFirst()
    {
        await using var bench = await RepositoryBench.StartAsync();
        var digests = bench.Server.SeedHistory(Shop, versions: 25);

        var contents = await bench.ReadAsync();

        Assert.Equal((26, 26), (contents.TagCount, contents.TagsRead));
        Assert.Equal(digests.Reverse(), contents.Images.Select(image => image.Digest.Value));
        Assert.Equal(["1.2.4", "latest"], contents.Images[0].Tags.Select(tag => tag.Value));
        Assert.Equal(4, contents.Images[0].Image.Platforms[0].Manifest.Layers.Count);
        Assert.Empty(contents.Gone);
        Assert.Empty(contents.Unread);
    }

    [Fact]
    public async Task EachManifestAndConfigIsReadOnceAndNeverAgain()
    {
        await using var bench = await RepositoryBench.StartAsync();
        bench.Server.SeedHistory(Shop, versions: 60);
        // Without it an answer may be there before the next request is sent.
        bench.Server.Line.Latency = TimeSpan.FromMilliseconds(10);

        await bench.ReadAsync();
        var requests = bench.Server.Requests;
        var first = (
            requests.CountOf(RegistryStep.ManifestGet),
            requests.CountOf(RegistryStep.BlobGet),
            requests.CountOf(RegistryStep.ManifestHead)
        );
        var most = requests.MaxConcurrent(RegistryStep.ManifestHead);
        await bench.ReadAsync();
        var again = (
            requests.CountOf(RegistryStep.ManifestGet),
            requests.CountOf(RegistryStep.BlobGet),
            requests.CountOf(RegistryStep.ManifestHead)
        );

        // 61 tags of 60 images.
        Assert.Equal((60, 60, 61), first);
        Assert.Equal((0, 0, 61), again);
        Assert.InRange(most, 2, 8);
        // The list of tags, 61 looks, and for the newest 50 the list of what is attached.
        Assert.InRange(requests.Count, 1 + 61, 1 + 61 + 50 + 2);
    }

    [Fact]
    public async Task ALimitReadsTheHighestVersionsAndSaysWhatIsLeftOut()
    {
        await using var bench = await RepositoryBench.StartAsync();
        bench.Server.SeedHistory(Shop, versions: 30);

        var contents = await bench.ReadAsync(query => query with { Limit = 5, Filter = new Glob("1.*") });

        Assert.Equal((30, 5), (contents.TagCount, contents.TagsRead));
        Assert.Equal(["1.2.9", "1.2.8", "1.2.7", "1.2.6", "1.2.5"], contents.Images.Select(image => image.Tags[0].Value));
        Assert.Equal(5, bench.Server.Requests.CountOf(RegistryStep.ManifestHead));
        var head = RepositoryBench.Data(contents).GetProperty("head");
        Assert.Equal((30, 5), (head.GetProperty("tagCount").GetInt32(), head.GetProperty("tagsRead").GetInt32()));
        Assert.Equal("1.*", head.GetProperty("filter").GetString());
    }

    [Fact]
    public async Task AttachmentsAreListedForTheNewestAndTagsOfAttachmentsAreNoVersions()
    {
        await using var bench = await RepositoryBench.StartAsync();
        var digests = bench.Server.SeedHistory(Shop, versions: 60);
        CommandBench.Attach(bench.Server, Shop, digests[^1], "sbom");
        bench.Server.Content.Tag(Shop, $"{digests[0].Replace(':', '-')}.sig", digests[1]);

        var contents = await bench.ReadAsync();

        Assert.Equal(["application/vnd.example.sbom"], Assert.Single(contents.Images[0].Attachments!).Types);
        Assert.Empty(contents.Images[1].Attachments!);
        Assert.Null(contents.Images[^1].Attachments);
        Assert.Equal(["signature (cosign, by tag)"], contents.Images[^1].Signs);
        Assert.DoesNotContain(contents.Images.SelectMany(image => image.Tags), tag =>
            tag.Value.StartsWith("sha256-", StringComparison.Ordinal)
        );
        // Tags that the list does not have are not looked for.
        Assert.DoesNotContain(bench.Server.Requests, request => request.Target.Contains(".sbom", StringComparison.Ordinal));
    }

    [Fact]
    public async Task TagsThatVanishAreNamedAndTheOthersShown()
    {
        await using var bench = await RepositoryBench.StartAsync();
        bench.Server.SeedHistory(Shop, versions: 6);
        bench.Registry.Fail(RegistryStep.ManifestHead, FaultAction.Status(404), times: 9, when: request =>
            request.Target.EndsWith("/1.0.2", StringComparison.Ordinal)
        );
        bench.Registry.Fail(RegistryStep.ManifestGet, FaultAction.Status(404), times: 9, when: request =>
            request.Target.EndsWith(bench.Server.Content.Tags(Shop)["1.0.4"], StringComparison.Ordinal)
        );

        var contents = await bench.ReadAsync();

        Assert.Equal(["1.0.2", "1.0.4"], contents.Gone.Select(tag => tag.Value).Order());
        Assert.Equal(4, contents.Images.Count);
    }

    [Fact]
    public async Task DamagedImagesAreNamedWithTheReason()
    {
        await using var bench = await RepositoryBench.StartAsync();
        bench.Server.SeedHistory(Shop, versions: 2);
        bench.Server.Content.PutManifest(Shop, "broken", "{}"u8, MediaTypes.OciManifest);
        bench.Server.Content.PutManifest(Shop, "many", Encoding.UTF8.GetBytes(IndexOf(65)), MediaTypes.OciIndex);

        var contents = await bench.ReadAsync();

        Assert.Equal(["broken", "many"], contents.Unread.Select(one => one.Tag.Value).Order());
        Assert.Contains(contents.Unread, one => one.Reason.Contains("65 entries; at most 64", StringComparison.Ordinal));
        Assert.Equal(2, contents.Images.Count);
        // An index of any length makes no requests.
        Assert.InRange(bench.Server.Requests.Count, 1, 20);
    }

    [Fact]
    public async Task WhatIsNoImageIsShownAsWhatItIs()
    {
        await using var bench = await RepositoryBench.StartAsync();
        bench.Server.SeedChart(Shop, "chart");
        var attestation = JsonNode.Parse(IndexOf(1))!;
        attestation["manifests"]![0]!["platform"] = new JsonObject { ["os"] = "unknown", ["architecture"] = "unknown" };
        bench.Server.Content.PutManifest(Shop, "attestations", Encoding.UTF8.GetBytes(attestation.ToJsonString()), MediaTypes.OciIndex);

        var data = RepositoryBench.Data(await bench.ReadAsync());

        Assert.Equal(
            ["attestations: an index without images", "chart: application/vnd.cncf.helm.config.v1+json"],
            data.GetProperty("images")
                .EnumerateArray()
                .Select(image => $"{image.GetProperty("tags")[0]}: {data.GetProperty("strings")[image.GetProperty("artifact").GetInt32()]}")
                .Order()
        );
    }

    [Fact]
    public async Task ImagesWithoutTimeAndLabelsComeLastInTheOrderOfTheirTags()
    {
        await using var bench = await RepositoryBench.StartAsync();
        bench.Server.SeedImage(Shop, "1.0.0");
        bench.Server.SeedImage(Shop, "2.0.0", "arm64");
        bench.Server.SeedHistory(Shop, versions: 1);
        bench.Server.SeedImage(Shop, "0.1.0", [Seeding.LayerOf(("a", "b"))], new JsonObject { ["created"] = "1970-01-01T00:00:00Z" });

        var contents = await bench.ReadAsync();

        Assert.Equal(["1.0.0", "2.0.0", "0.1.0"], contents.Images.Select(image => image.Tags[0].Value));
        Assert.Equal([false, true, true], contents.Images.Select(image => image.Created is null));
    }

    [Fact]
    public async Task ARepositoryWithoutImagesIsAnErrorOfOneLine()
    {
        await using var bench = await RepositoryBench.StartAsync();
        bench.Server.SeedHistory("acme/other", versions: 1);
        var digest = bench.Server.Content.Tags("acme/other")["latest"];
        bench.Server.SeedImage("acme/attached", null, [], Seeding.ConfigOf("amd64"));
        bench.Server.Content.PutManifest("acme/attached", "sha256-" + new string('a', 64), "{}"u8, MediaTypes.OciManifest);
        bench.Server.Content.PutManifest("acme/broken", "1.0", "{}"u8, MediaTypes.OciManifest);

        Assert.Contains("None of the 2 tags", await EmptyAsync("acme/other", "9.*"), StringComparison.Ordinal);
        Assert.Contains("only tags of attachments", await EmptyAsync("acme/attached"), StringComparison.Ordinal);
        Assert.Contains("'1.0': ", await EmptyAsync("acme/broken"), StringComparison.Ordinal);
        bench.Server.Content.RemoveTag("acme/other", "latest");
        bench.Server.Content.RemoveTag("acme/other", "1.0.0");
        Assert.Contains("has no tags", await EmptyAsync("acme/other"), StringComparison.Ordinal);
        Assert.NotNull(digest);

        async Task<string> EmptyAsync(string repository, string filter = "") =>
            (
                await RegistryBench.FailsAsync(DiagnosticCodes.RepositoryEmpty, () =>
                    bench.ReadAsync(query => query with { Filter = new Glob(filter) }, repository)
                )
            ).Message;
    }

    [Theory]
    [InlineData(401, "IMG5001")]
    [InlineData(403, "IMG4007")]
    [InlineData(405, "IMG4002")]
    [InlineData(404, "IMG4006")]
    public async Task ARegistryThatForbidsTheListIsAnErrorOfOneLine(int status, string code)
    {
        await using var bench = await RepositoryBench.StartAsync();
        bench.Server.SeedHistory(Shop, versions: 1);
        bench.Registry.Fail(RegistryStep.TagsList, FaultAction.Status(status), times: 99);

        var failure = await Assert.ThrowsAsync<ImagePublishException>(() => bench.ReadAsync());

        Assert.Equal(code, failure.Code.Id);
        Assert.DoesNotContain('\n', failure.Message);
        Assert.Contains("list the tags", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ARegistryThatFailsWhileImagesAreReadMakesNoPage()
    {
        await using var bench = await RepositoryBench.StartAsync();
        bench.Server.SeedHistory(Shop, versions: 40);
        bench.Registry.Fail(RegistryStep.ManifestGet, FaultAction.Status(403), times: 99, skip: 3);

        await RegistryBench.FailsAsync(DiagnosticCodes.RegistryDenied, () => bench.ReadAsync());
    }

    [Fact]
    public async Task TheLocalStoresImagesAreReadWithoutARegistry()
    {
        await using var bench = await RepositoryBench.StartAsync();
        var image = await bench.Kept.PutImageAsync("amd64", "one", "two");
        var index = await bench.Kept.PutIndexAsync(image, await bench.Kept.PutImageAsync("arm64", "one", "three"));
        await bench.Kept.Store.SetReferenceAsync("acme/shop:1.0", image, RepositoryBench.Cancel);
        await bench.Kept.Store.SetReferenceAsync("acme/shop:2.0", index, RepositoryBench.Cancel);
        await bench.Kept.Store.SetReferenceAsync("acme/other:1.0", image, RepositoryBench.Cancel);

        var contents = await bench.ReadStoreAsync("acme/shop");

        Assert.Equal(["2.0", "1.0"], contents.Images.Select(one => one.Tags[0].Value));
        Assert.Equal(["linux/amd64", "linux/arm64"], contents.Images[0].Image.Platforms.Select(one => one.Config.Platform.ToString()));
        Assert.Empty(contents.Images[0].Attachments!);
        Assert.Empty(bench.Server.Requests);
        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.RepositoryEmpty, () => bench.ReadStoreAsync("acme/none"));
        Assert.Contains("'acme/none' has no tags", failure.Message, StringComparison.Ordinal);
    }

    private static string IndexOf(int entries) =>
        new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciIndex,
            ["manifests"] = new JsonArray([
                .. Enumerable
                    .Range(0, entries)
                    .Select(at => new JsonObject
                    {
                        ["mediaType"] = MediaTypes.OciManifest,
                        ["digest"] = Digest.Compute(BitConverter.GetBytes(at)).Value,
                        ["size"] = 100,
                    }),
            ]),
        }.ToJsonString();
}
