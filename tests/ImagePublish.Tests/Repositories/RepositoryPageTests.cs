using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ImagePublish.Rebasing;
using ImagePublish.Repositories;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Repositories;

public sealed partial class RepositoryPageTests
{
    private const string Shop = RepositoryBench.Shop;
    private const string Hostile = "</script><script>alert(1)</script>\u2028\u202e<img src=x onerror=alert(2)>{{scripts}}";

    [Fact]
    public async Task WhatAnImageSaysCanNotLeaveItsData()
    {
        await using var bench = await RepositoryBench.StartAsync();
        var config = Seeding.ConfigOf("amd64");
        config["created"] = Hostile;
        config["author"] = Hostile;
        config["history"] = new JsonArray(new JsonObject { ["created_by"] = Hostile });
        config["config"]!["Labels"] = new JsonObject { [Hostile] = Hostile };
        config["config"]!["Env"] = new JsonArray(Hostile + "=" + Hostile);
        bench.Server.SeedImage(Shop, "1.0", [Seeding.LayerOf((Hostile, Hostile))], config);

        var contents = await bench.ReadAsync(query => query with { Files = 1 });
        var page = RepositoryBench.Page(contents);

        Assert.DoesNotContain("<script>alert", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<img", page, StringComparison.Ordinal);
        Assert.DoesNotContain('\u2028', page);
        Assert.DoesNotContain('\u202e', page);
        Assert.Equal(Elements().Count(RepositoryPageText), Elements().Count(page));
        Assert.Contains(RepositoryBench.Data(contents).GetProperty("strings").EnumerateArray(), text =>
            text.GetString()!.StartsWith("</script><script>alert(1)</script>\\u2028", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task ThePolicyAllowsThePagesOwnScriptsAndStylesAndNothingElse()
    {
        await using var bench = await RepositoryBench.StartAsync();
        bench.Server.SeedHistory(Shop, versions: 2);
        var page = RepositoryBench.Page(await bench.ReadAsync());
        var policy = Policy().Match(page).Groups[1].Value;

        Assert.StartsWith("default-src 'none'; style-src 'sha256-", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        var allowed = InlineElements()
            .Matches(page)
            .Select(element => $"'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(element.Groups[2].Value)))}'")
            .ToList();
        Assert.Equal(3, allowed.Count);
        Assert.All(allowed, hash => Assert.Contains(hash, policy, StringComparison.Ordinal));
        Assert.DoesNotMatch(@"\s(src|href|action)=", page[..page.IndexOf("<script", StringComparison.Ordinal)]);
        Assert.DoesNotMatch(@"\s(style|on\w+)=""", page);
    }

    [Fact]
    public async Task FilesAreListedForTheNewestImagesAndWithoutWhatLayersRemove()
    {
        await using var bench = await RepositoryBench.StartAsync();
        var below = Seeding.LayerOf(("app/kept.txt", "kept"), ("app/gone.txt", "gone"), ("app/changed.txt", "old"));
        bench.Server.SeedImage(Shop, "1.0", [below], Seeding.ConfigOf("amd64"));
        bench.Server.SeedImage(
            Shop,
            "2.0",
            [below, Seeding.LayerOf(("app/.wh.gone.txt", ""), ("app/changed.txt", "new"))],
            Seeding.ConfigOf("amd64")
        );
        bench.Server.SeedImage(Shop, "0.9", [Seeding.LayerOf(("a", "b"))], Seeding.ConfigOf("amd64"));

        var contents = await bench.ReadAsync(query => query with { Files = 2 });
        var data = RepositoryBench.Data(contents);

        Assert.Equal(2, contents.Files!.Images.Count);
        Assert.Equal(["app/changed.txt 3", "app/kept.txt 4"], FilesOf(data, "2.0").Order());
        Assert.Equal(["app/changed.txt 3", "app/gone.txt 4", "app/kept.txt 4"], FilesOf(data, "1.0").Order());
        // The layer that both have is read once, and not again by the next page.
        Assert.Equal(2, LayersRead(bench));
        await bench.ReadAsync(query => query with { Files = 2 });
        Assert.Equal(0, LayersRead(bench));
    }

    [Fact]
    public async Task OfAnIndexTheFilesOfEachPlatformAreListed()
    {
        await using var bench = await RepositoryBench.StartAsync();
        bench.Server.SeedVersionsOnMovedBase(Shop);

        var contents = await bench.ReadAsync(query => query with { Files = 2 });
        var data = RepositoryBench.Data(contents);

        Assert.Equal(4, contents.Files!.Images.Count);
        Assert.Contains("app/native-amd64.so 11", FilesOf(data, "1.2.0", platform: 0));
        Assert.Contains("app/native-arm64.so 11", FilesOf(data, "1.2.0", platform: 1));
        Assert.DoesNotContain("app/native-arm64.so 11", FilesOf(data, "1.1.0", platform: 0));
        Assert.Equal((2, 50), (data.GetProperty("files").GetProperty("newest").GetInt32(), RepositoryFileReader.MaxImages));
        // Two versions for two platforms have eight paths, not 24.
        Assert.Equal(8, data.GetProperty("files").GetProperty("paths").GetArrayLength());
    }

    [Fact]
    public async Task PackagesOfABaseAreComparedWithTheFilesThatThePageReads()
    {
        await using var bench = await RepositoryBench.StartAsync();
        bench.Server.SeedVersionsOnMovedBase(Shop);

        var contents = await bench.ReadAsync(query => query with { Files = 2, Drift = image => image });

        Assert.Equal([DriftState.Current, DriftState.Behind, DriftState.Behind], contents.Images.Select(image => image.Drift!.State));
        Assert.Equal(["libc6", "libssl3"], contents.Images[1].Drift!.Packages!.Select(package => package.Name));
    }

    [Fact]
    public async Task ByDefaultNoLayerIsRead()
    {
        await using var bench = await RepositoryBench.StartAsync();
        bench.Server.SeedHistory(Shop, versions: 3, real: 3);

        var contents = await bench.ReadAsync();

        Assert.Null(contents.Files);
        Assert.Equal(3, bench.Server.Requests.CountOf(RegistryStep.BlobGet));
    }

    [Fact]
    public async Task ALayerThatCanNotBeReadLeavesTheFilesOfItsImageOut()
    {
        await using var bench = await RepositoryBench.StartAsync();
        // The layers of older versions are not there.
        bench.Server.SeedHistory(Shop, versions: 3, real: 1);

        var contents = await bench.ReadAsync(query => query with { Files = 3 });

        Assert.Equal(2, contents.Files!.LeftOut);
        Assert.Single(contents.Files.Images);
    }

    [Fact]
    public async Task BasesAreComparedOnlyWhereThatIsAskedFor()
    {
        await using var bench = await RepositoryBench.StartAsync();
        var old = bench.Server.SeedImage("dotnet/aspnet", "10.0").Digest;
        var config = Seeding.ConfigOf("amd64");
        config["config"]!["Labels"] = new JsonObject
        {
            ["org.opencontainers.image.base.name"] = $"{bench.Server.Host}/dotnet/aspnet:10.0",
            ["org.opencontainers.image.base.digest"] = old,
        };
        bench.Server.SeedImage(Shop, "1.0", [Seeding.LayerOf(("a", "b"))], config);
        bench.Server.SeedImage("dotnet/aspnet", "10.0", [Seeding.LayerOf(("fixed", "yes"))], Seeding.ConfigOf("amd64"));

        var plain = await bench.ReadAsync();
        var withoutDrift = bench.Server.Requests.Count(IsOfBase);
        var compared = await bench.ReadAsync(query => query with { Drift = image => image });
        var drift = RepositoryBench.Data(compared).GetProperty("images")[0].GetProperty("drift");

        Assert.Null(plain.Images[0].Drift);
        Assert.Equal(0, withoutDrift);
        Assert.Equal(DriftState.Behind, compared.Images[0].Drift!.State);
        Assert.Equal("behind", drift.GetProperty("state").GetString());
        Assert.Equal(bench.Server.Content.Tags("dotnet/aspnet")["10.0"], drift.GetProperty("digest").GetString());

        static bool IsOfBase(RecordedRequest request) => request.Target.Contains("dotnet/aspnet", StringComparison.Ordinal);
    }

    [Fact]
    public async Task FiveThousandTagsMakeAPageOfAFewMegabytes()
    {
        await using var bench = await RepositoryBench.StartAsync();
        bench.Server.SeedHistory(Shop, versions: 5000);

        var contents = await bench.ReadAsync();
        var page = RepositoryBench.Page(contents);

        Assert.Equal(5000, contents.Images.Count);
        Assert.InRange(page.Length, 1_000_000, 4_000_000);
        // Pages of the list, a look at each tag, a manifest and a config for each image, and the attachments of the newest.
        Assert.InRange(bench.Server.Requests.Count, 15_001, 15_001 + 6 + 51);
    }

    private static IEnumerable<string> FilesOf(JsonElement data, string tag, int platform = 0)
    {
        var images = data.GetProperty("images").EnumerateArray();
        var image = images.Single(one => one.GetProperty("tags")[0].GetString() == tag).GetProperty("platforms")[platform];
        var files = data.GetProperty("files");
        var hidden = files
            .GetProperty("images")
            .EnumerateArray()
            .Single(one => one.GetProperty("digest").GetString() == image.GetProperty("digest").GetString())
            .GetProperty("hidden");
        foreach (var (layer, at) in image.GetProperty("layers").EnumerateArray().Select((layer, at) => (layer.GetInt32(), at)))
        {
            var list = files.GetProperty("layers").EnumerateArray().Single(one => one.GetProperty("layer").GetInt32() == layer);
            var without = hidden[at].EnumerateArray().Select(index => index.GetInt32()).ToHashSet();
            for (var index = 0; index < list.GetProperty("paths").GetArrayLength(); index++)
            {
                if (!without.Contains(index))
                    yield return $"{files.GetProperty("paths")[list.GetProperty("paths")[index].GetInt32()]} {list.GetProperty("sizes")[index]}";
            }
        }
    }

    private static int LayersRead(RepositoryBench bench) =>
        bench.Server.Requests.Count(request => request.Step == RegistryStep.BlobGet && IsLayer(bench, request.Target.Split('/')[^1]));

    private static bool IsLayer(RepositoryBench bench, string digest) => bench.Server.Content.Blob(Shop, digest) is [0x1f, 0x8b, ..];

    private static string RepositoryPageText =>
        File.ReadAllText(Path.Combine(RepositoryRoot.Path, "src", "ImagePublish", "Reporting", "Page", "web", "repository.html"))
            .Replace("{{style}}", "<style></style>", StringComparison.Ordinal)
            .Replace("{{scripts}}", "<script></script><script></script>", StringComparison.Ordinal);

    [GeneratedRegex("<(script|style|meta|link|img|iframe)\\b")]
    private static partial Regex Elements();

    [GeneratedRegex("""Content-Security-Policy" content="([^"]*)""")]
    private static partial Regex Policy();

    [GeneratedRegex("(?s)<(script|style)>(.*?)</\\1>")]
    private static partial Regex InlineElements();
}
