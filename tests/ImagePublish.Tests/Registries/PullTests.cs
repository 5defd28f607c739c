using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries.Auth.Credentials;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Registries;

/// <summary>Reading blobs and lists.</summary>
public sealed class PullTests
{
    private const string Base = "Base";
    private const int Size = 500_000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    [ReliabilityCase(Base, "a blob download is interrupted", "it continues with Range, and is verified at the end")]
    public async Task ADownloadThatBreaksGoesOn()
    {
        var (bench, layer) = await BenchAsync();
        await using var _ = bench;
        bench.Fail(RegistryStep.BlobGet, FaultAction.TruncateResponse(100_000));
        bench.Fail(RegistryStep.BlobGet, FaultAction.TruncateResponse(150_000), skip: 1);
        bench.Fail(RegistryStep.BlobGet, FaultAction.Status(503), skip: 2);

        Assert.True((await ReadAsync(bench, layer)).Span.SequenceEqual(layer.Content.Span));

        Assert.Equal(
            [null, "bytes=", "bytes=", "bytes="],
            bench.Server.Requests.Of(RegistryStep.BlobGet).Select(get => get.Header("Range")?[..6])
        );
    }

    [Fact]
    [ReliabilityCase(
        Base,
        "a blob download is interrupted, and the registry has no Range",
        "it is read again, and the first part is skipped"
    )]
    public async Task ADownloadThatBreaksIsReadAgainWithoutRanges()
    {
        var (bench, layer) = await BenchAsync();
        await using var _ = bench;
        bench.Fail(RegistryStep.BlobGet, FaultAction.TruncateResponse(100_000));
        bench.Fail(
            RegistryStep.BlobGet,
            FaultAction.Bytes(200, layer.Content.ToArray(), "application/octet-stream"),
            Fault.Always,
            skip: 1
        );

        Assert.True((await ReadAsync(bench, layer)).Span.SequenceEqual(layer.Content.Span));
    }

    [Fact]
    [ReliabilityCase(Base, "a blob differs from its digest", "refused before its last byte is passed on, IMG4005")]
    public async Task ACorruptBlobIsRefused()
    {
        var (bench, layer) = await BenchAsync();
        await using var _ = bench;
        bench.Fail(RegistryStep.BlobGet, FaultAction.CorruptResponse(Size / 2), Fault.Always);

        await RegistryBench.FailsAsync(DiagnosticCodes.ContentMismatch, () => ReadAsync(bench, layer));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [ReliabilityCase(
        Base,
        "a blob that is copied to another registry differs from its digest",
        "refused before its last byte is sent, IMG4005"
    )]
    public async Task ACorruptBlobIsNotSentOn(bool breaks)
    {
        var (bench, layer) = await BenchAsync();
        await using var _ = bench;
        await using var target = await RegistryBench.StartAsync();
        if (breaks)
            target.Fail(RegistryStep.UploadPut, FaultAction.ResetAfterRequestBytes(Size / 4));
        bench.Fail(RegistryStep.BlobGet, FaultAction.CorruptResponse(Size / 2), Fault.Always);

        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.ContentMismatch, () =>
            target.PushAsync(bench.Client.Blob(bench.Repository, layer.Descriptor))
        );

        Assert.Contains(bench.Repository.ToString(), failure.Message, StringComparison.Ordinal);
        Assert.False(target.Server.Content.HasBlob(target.Repository.Name, layer.Descriptor.Digest.Value));
        target.HasNoOpenUpload();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    [ReliabilityCase(Base, "wrong size", "refused, IMG4005")]
    public async Task ABlobOfAnotherSizeIsRefused(int difference)
    {
        var (bench, layer) = await BenchAsync();
        await using var _ = bench;
        var wrong = layer.Descriptor with { Size = Size + difference };

        await RegistryBench.FailsAsync(DiagnosticCodes.ContentMismatch, () =>
            bench.Client.GetBlobAsync(bench.Repository, wrong, int.MaxValue, Cancel)
        );
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(5_000_000)]
    [ReliabilityCase(Base, "a config that is too large or has a negative size", "refused before it is read, IMG4009")]
    public async Task ABlobAboveTheLimitIsNotRead(long size)
    {
        var (bench, layer) = await BenchAsync();
        await using var _ = bench;

        await RegistryBench.FailsAsync(DiagnosticCodes.TooLarge, () =>
            bench.Client.GetBlobAsync(bench.Repository, layer.Descriptor with { Size = size }, OciJson.MaxConfigSize, Cancel)
        );
        Assert.Empty(bench.Server.Requests);
    }

    [Fact]
    public async Task WhoeverReadsABlobVerifiesItOnce()
    {
        var (bench, layer) = await BenchAsync();
        await using var _ = bench;
        using var kept = new TestStore();
        bench.Fail(RegistryStep.BlobGet, FaultAction.CorruptResponse(Size / 2), Fault.Always);
        var source = bench.Client.Blob(bench.Repository, layer.Descriptor);

        // The source does not hash what the store hashes anyway.
        await using (var content = await source.OpenAsync(0, Cancel))
            await content.CopyToAsync(Stream.Null, Cancel);
        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.ContentMismatch, () => kept.Store.PutAsync(source, Cancel));

        Assert.Contains(bench.Repository.ToString(), failure.Message, StringComparison.Ordinal);
        Assert.Null(kept.Store.FindBlob(layer.Descriptor));
        Assert.Empty(kept.TemporaryFiles);
    }

    [Fact]
    [ReliabilityCase(Base, "foreign layer URLs", "never requested")]
    public async Task ForeignUrlsAreNeverAsked()
    {
        await using var other = await TestRegistry.StartAsync(cancellationToken: Cancel);
        var (bench, layer) = await BenchAsync();
        await using var _ = bench;

        await bench.Client.GetBlobAsync(
            bench.Repository,
            layer.Descriptor with
            {
                Urls = [$"http://{other.Host}/secret"],
            },
            int.MaxValue,
            Cancel
        );

        Assert.Empty(other.Requests);
    }

    [Fact]
    [ReliabilityCase(Base, "a blob is redirected to another host", "followed without credentials")]
    public async Task ARedirectedBlobIsReadWithoutCredentials()
    {
        await using var bench = await RegistryBench.StartAsync(options =>
        {
            options.SecondHost = true;
            options.Content.RedirectBlobs = true;
            options.Auth.Schemes = AuthSchemes.Basic;
            options.Auth.Users["me"] = "secret";
        });
        bench.Credential = ImagePublish.Registries.Auth.Credentials.Credential.Create("me", "secret");
        var layer = RegistryBench.Layer(Size);
        bench.Server.Content.PutBlob(bench.Repository.Name, layer.Content.Span);

        Assert.True((await ReadAsync(bench, layer)).Span.SequenceEqual(layer.Content.Span));

        Assert.Null(Assert.Single(bench.Server.Requests.Of(RegistryStep.StorageGet)).Authorization);
    }

    [Fact]
    [ReliabilityCase(Base, "endless redirects", "IMG4004 after ten")]
    public async Task RedirectsWithoutEndAreEnded()
    {
        var (bench, layer) = await BenchAsync();
        await using var _ = bench;
        bench.Fail(RegistryStep.BlobGet, FaultAction.Redirect(request => request.Target), Fault.Always);

        await RegistryBench.FailsAsync(DiagnosticCodes.RegistryProtocol, () => ReadAsync(bench, layer));
        Assert.Equal(11, bench.CountOf(RegistryStep.BlobGet));
    }

    [Fact]
    [ReliabilityCase(Base, "redirect from https to http", "refused, IMG4014; the message does not show the query")]
    public async Task ARedirectNeverLeavesHttps()
    {
        await using var bench = await RegistryBench.StartAsync(options => options.Tls = true);
        bench.Fail(RegistryStep.BlobGet, FaultAction.Redirect("http://storage.example.com/blob?signature=canary"), Fault.Always);

        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.UnsafeRedirect, () => ReadAsync(bench, RegistryBench.Layer(10)));

        Assert.DoesNotContain("canary", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnUploadIsRedirectedWithItsBody()
    {
        await using var bench = await RegistryBench.StartAsync();
        bench.Fail(RegistryStep.UploadPost, FaultAction.Redirect(request => request.Target, System.Net.HttpStatusCode.MovedPermanently));
        bench.Fail(RegistryStep.ManifestPut, FaultAction.Redirect(request => request.Target));

        await new RandomImage(layers: 1).PushAsync(bench.Client, bench.Latest, Cancel);

        Assert.Single(bench.Server.Content.AllTags);
    }

    [Theory]
    [InlineData(false, false, false)]
    [InlineData(true, false, false)]
    [InlineData(false, true, false)]
    [InlineData(false, false, true)]
    public async Task TagsAreListedPageByPage(bool opaque, bool absolute, bool refusesLargePages)
    {
        await using var bench = await RegistryBench.StartAsync(options =>
        {
            options.Content.MaxPageSize = 7;
            options.Content.OpaqueLinks = opaque;
            options.Content.AbsoluteLinks = absolute;
            options.Content.RefuseLargePages = refusesLargePages;
        });
        var image = new RandomImage(layers: 1);
        image.PutInto(bench.Server.Content, bench.Repository.Name, "t00");
        for (var number = 1; number < 40; number++)
            bench.Server.Content.Tag(bench.Repository.Name, $"t{number:00}", image.Manifest.Descriptor.Digest.Value);

        var tags = await bench.Client.ListTagsAsync(bench.Repository, Cancel).Select(tag => tag.Value).ToListAsync(Cancel);

        Assert.Equal(Enumerable.Range(0, 40).Select(number => $"t{number:00}"), tags);
    }

    [Fact]
    public async Task TagsCanBeEnumeratedTwice()
    {
        await using var bench = await RegistryBench.StartAsync();
        new RandomImage(layers: 1).PutInto(bench.Server.Content, bench.Repository.Name, "latest");
        var tags = bench.Client.ListTagsAsync(bench.Repository, Cancel);

        Assert.Single(await tags.ToListAsync(Cancel));
        Assert.Single(await tags.ToListAsync(Cancel));
    }

    [Theory]
    [InlineData("without end")]
    [InlineData("second page missing")]
    [ReliabilityCase(Base, "a list of attachments is cut off", "IMG4004: a copy never silently omits attachments")]
    public async Task AListOfAttachmentsThatBreaksOffIsRefused(string kind)
    {
        await using var bench = await RegistryBench.StartAsync();
        var subject = bench.Server.SeedIndex(bench.Repository.Name, "latest");
        var page = 0;
        bench.Fail(RegistryStep.Referrers, FaultAction.Custom("names another page", async (http, _, _) =>
            {
                page++;
                if (kind == "second page missing" && page > 1)
                {
                    http.Response.StatusCode = 404;
                    return;
                }

                http.Response.Headers.Link = $"<{http.Request.Path}?page={page}>; rel=\"next\"";
                var entry = new Descriptor("application/vnd.oci.image.manifest.v1+json", Digest.Compute([(byte)page]), 1);
                await http.Response.Body.WriteAsync(
                    OciJson.Write(new ImageIndex([entry]) { MediaType = "application/vnd.oci.image.index.v1+json" }),
                    Cancel
                );
            }), Fault.Always);

        await RegistryBench.FailsAsync(DiagnosticCodes.RegistryProtocol, () =>
            bench.Client.ListReferrersAsync(bench.Repository, Digest.Parse(subject), Cancel)
        );
    }

    [Fact]
    public async Task AListOfAttachmentsThatLeadsInACircleEnds()
    {
        await using var bench = await RegistryBench.StartAsync();
        var subject = bench.Server.SeedIndex(bench.Repository.Name, "latest");
        CommandBench.Attach(bench.Server, bench.Repository.Name, subject, "a signature");
        bench.Fail(
            RegistryStep.Referrers,
            FaultAction.ChangeHeader("Link", (request, _) => $"<{request.Target}>; rel=\"next\""),
            Fault.Always
        );

        Assert.Single((await bench.Client.ListReferrersAsync(bench.Repository, Digest.Parse(subject), Cancel))!);
    }

    [Fact]
    public async Task AListThatLeadsInACircleEnds()
    {
        await using var bench = await RegistryBench.StartAsync();
        new RandomImage(layers: 1).PutInto(bench.Server.Content, bench.Repository.Name, "latest");
        bench.Fail(
            RegistryStep.TagsList,
            FaultAction.SetHeader("Link", $"</v2/{bench.Repository.Name}/tags/list?n=1>; rel=\"next\""),
            Fault.Always
        );

        Assert.Single(await bench.Client.ListTagsAsync(bench.Repository, Cancel).ToListAsync(Cancel));
        Assert.Equal(2, bench.CountOf(RegistryStep.TagsList));
    }

    [Fact]
    public async Task AListThatLeadsElsewhereIsRefused()
    {
        await using var bench = await RegistryBench.StartAsync();
        new RandomImage(layers: 1).PutInto(bench.Server.Content, bench.Repository.Name, "latest");
        bench.Fail(RegistryStep.TagsList, FaultAction.SetHeader("Link", "<https://evil.example.com/v2/x>; rel=next"));

        await RegistryBench.FailsAsync(DiagnosticCodes.UnsafeRedirect, async () =>
            await bench.Client.ListTagsAsync(bench.Repository, Cancel).ToListAsync(Cancel)
        );
    }

    private static async Task<(RegistryBench Bench, MemoryBlobSource Layer)> BenchAsync()
    {
        var bench = await RegistryBench.StartAsync();
        var layer = RegistryBench.Layer(Size);
        bench.Server.Content.PutBlob(bench.Repository.Name, layer.Content.Span);
        return (bench, layer);
    }

    private static Task<ReadOnlyMemory<byte>> ReadAsync(RegistryBench bench, BlobSource layer) =>
        bench.Client.GetBlobAsync(bench.Repository, layer.Descriptor, int.MaxValue, Cancel);
}
