using System.Globalization;
using System.Text;
using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries.Auth;
using ImagePublish.Testing;
using ImagePublish.Tests.Registries;
using MediaTypes = ImagePublish.Oci.MediaTypes;

namespace ImagePublish.Tests.Foreign;

/// <summary>Numbers and lists of foreign documents that nothing adds up or keeps before it has looked at them.</summary>
public sealed class ForeignNumberTests
{
    private const string Area = "Security";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData((1L << 40) + 1)]
    [ReliabilityCase(Area, "a base whose layers have sizes of 2^63-1 bytes", "IMG2003, even if nothing is sent")]
    public async Task ABaseWithSizesThatCantBeIsRefused(long size)
    {
        await using var bench = await PublishingBench.StartAsync();
        var manifest = Encoding.UTF8.GetBytes(Manifest(size, size));
        bench.Server.Content.PutManifest("dotnet/aspnet", "large", manifest, MediaTypes.OciManifest);
        var request = bench.Request("1.0") with { Base = new RegistryImage(bench.Named("dotnet/aspnet").ReferenceTo(Tag.Parse("large"))) };

        var publish = await Assert.ThrowsAnyAsync<ImagePublishException>(() => bench.PublishAsync(request));
        var plan = await Assert.ThrowsAnyAsync<ImagePublishException>(() => bench.PlanAsync(request));

        Assert.Contains("more than 1 TiB", publish.Message, StringComparison.Ordinal);
        Assert.Equal(publish.Message, plan.Message);
    }

    [Fact]
    public void SizesThatAreTooLargeTogetherAreRefused()
    {
        var sizes = Enumerable.Repeat(1L << 40, 17).ToArray();

        var failure = Assert.Throws<System.Text.Json.JsonException>(() => OciJson.ReadManifest(Encoding.UTF8.GetBytes(Manifest(sizes))));

        Assert.Contains("16 TiB together", failure.Message, StringComparison.Ordinal);
        Assert.Equal(2, OciJson.ReadManifest(Encoding.UTF8.GetBytes(Manifest(1L << 40, 1L << 40))).Layers.Count);
    }

    [Theory]
    [InlineData("many tags")]
    [InlineData("long names")]
    [ReliabilityCase(
        Area,
        "a repository with millions of tags, or an endless list of tags",
        "IMG4009 after 500,000 tags or 64 MiB of names"
    )]
    public async Task AListOfTagsHasALimit(string kind)
    {
        const int pages = 14;
        await using var bench = await RegistryBench.StartAsync();
        var page = 0;
        bench.Fail(RegistryStep.TagsList, FaultAction.Custom("names many tags", async (http, _, _) =>
            {
                var (count, name) = kind == "many tags" ? (50_000, "t") : (6_000, new string('n', 1000));
                if (++page < pages)
                    http.Response.Headers.Link = $"<{http.Request.Path}?page={page}>; rel=\"next\"";
                var names = Enumerable
                    .Range(page * count, count)
                    .Select(number => string.Create(CultureInfo.InvariantCulture, $"\"{name}{number}\""));
                await http.Response.Body.WriteAsync(Encoding.UTF8.GetBytes($"{{\"tags\":[{string.Join(',', names)}]}}"), Cancel);
            }), Fault.Always);

        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.TooLarge, async () =>
            await bench.Client.ListTagsAsync(bench.Repository, Cancel).CountAsync(Cancel)
        );

        Assert.Contains("Delete tags", failure.Message, StringComparison.Ordinal);
        Assert.InRange(page, 2, pages - 1);
    }

    [Fact]
    public void ScopesOfAChallengeAreComparedWithEachOther()
    {
        var text = string.Join(
            ' ',
            Enumerable.Range(0, 5000).Select(number => string.Create(CultureInfo.InvariantCulture, $"repository:acme/shop{number}:pull"))
        );

        var scopes = Scope.ParseList(text);

        Assert.InRange(scopes.Count, 1, 100);
        Assert.True(Scope.Covers(scopes, scopes));
    }

    private static string Manifest(params long[] sizes)
    {
        var layers = sizes.Select(
            (size, at) => $$"""{"mediaType":"{{MediaTypes.OciLayer}}","digest":"{{Digest.Compute([(byte)at])}}","size":{{size}} }"""
        );
        return $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","config":{"mediaType":"{{MediaTypes.OciConfig}}","digest":"{{Digest.Compute("c"u8)}}","size":10},"layers":[{{string.Join(',', layers)}}]}""";
    }
}
