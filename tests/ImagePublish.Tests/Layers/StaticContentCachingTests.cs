using System.Formats.Tar;
using System.Net;
using ImagePublish.Layers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Logging;

namespace ImagePublish.Tests.Layers;

/// <summary>
/// ASP.NET makes ETags from a file's time and length: in an image both must tell when the content changed, and only then.
/// </summary>
public sealed class StaticContentCachingTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("imagepublish-static-");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AnEditOfTheSameLengthChangesTheETagAndNothingElseDoes()
    {
        var blue = await ServeAsync("blue", "a { color: blue }", built: new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        var again = await ServeAsync("again", "a { color: blue }", built: new DateTime(2026, 2, 2, 0, 0, 0, DateTimeKind.Utc));
        var gray = await ServeAsync("gray", "a { color: gray }", built: new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc));

        Assert.Equal(blue, again);
        Assert.NotEqual(blue.ETag, gray.ETag);
        Assert.NotEqual(blue.LastModified, gray.LastModified);
    }

    [Fact]
    public async Task ABrowsersCacheIsConfirmedByTheNextImageWithTheSameFile()
    {
        var first = await ServeAsync("first", "a {}", built: DateTime.UnixEpoch);
        await using var site = await StartAsync(await UnpackAsync("second", "a {}", built: DateTime.UnixEpoch.AddYears(50)));
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, AddressOf(site));
        request.Headers.TryAddWithoutValidation("If-None-Match", first.ETag);

        using var response = await client.SendAsync(request, Cancel);

        Assert.Equal(HttpStatusCode.NotModified, response.StatusCode);
    }

    [Fact]
    public async Task TheTimeIsNeverInTheFuture()
    {
        var served = await ServeAsync("site", "a { color: teal }", built: DateTime.UnixEpoch);

        Assert.InRange(served.LastModified!.Value, DateTimeOffset.UnixEpoch, DateTimeOffset.UtcNow);
    }

    public void Dispose() => folder.Delete(recursive: true);

    private async Task<Validators> ServeAsync(string name, string content, DateTime built)
    {
        await using var site = await StartAsync(await UnpackAsync(name, content, built));
        using var client = new HttpClient();
        using var response = await client.GetAsync(AddressOf(site), Cancel);
        Assert.Equal(content, await response.Content.ReadAsStringAsync(Cancel));
        return new Validators(response.Headers.ETag!.ToString(), response.Content.Headers.LastModified);
    }

    // What a container sees: the layer is written, and unpacked with the times that it tells.
    private async Task<string> UnpackAsync(string name, string content, DateTime built)
    {
        var publish = folder.CreateSubdirectory(name + "-publish");
        var file = Path.Combine(publish.CreateSubdirectory("wwwroot").FullName, "site.css");
        await File.WriteAllTextAsync(file, content, Cancel);
        File.SetLastWriteTimeUtc(file, built);
        var entries = LayerTesting.ReadFolder(publish.FullName, new LayerEntryDefaults(), []);
        using var tar = new MemoryStream();
        foreach (
            var layer in LayerLayout.Create(
                entries,
                [new PublishItem("wwwroot/site.css", PublishItemOrigin.StaticContent)],
                LayeringMode.Auto
            )
        )
            await LayerTar.WriteAsync(layer, tar, Cancel);
        tar.Position = 0;
        var root = folder.CreateSubdirectory(name).FullName;
        await TarFile.ExtractToDirectoryAsync(tar, root, overwriteFiles: true, Cancel);
        return Path.Combine(root, "app", "wwwroot");
    }

    private static async Task<WebApplication> StartAsync(string wwwroot)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var site = builder.Build();
        site.UseStaticFiles(new StaticFileOptions { FileProvider = new PhysicalFileProvider(wwwroot) });
        await site.StartAsync(Cancel);
        return site;
    }

    private static Uri AddressOf(WebApplication site) =>
        new(new Uri(site.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()), "site.css");

    private sealed record Validators(string ETag, DateTimeOffset? LastModified);
}
