using System.Globalization;
using System.Text.Json;
using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Publishing.Explain;
using ImagePublish.Registries;
using ImagePublish.Registries.Auth.Credentials;
using ImagePublish.Registries.Connection;
using ImagePublish.Reporting.Page;
using ImagePublish.Requests;
using ImagePublish.Storage;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.Report;

/// <summary>The report of an image of 20,000 files that was published a second time with changes, and what a browser saw of it.</summary>
public sealed class LargeReport : IAsyncLifetime, IPublishLog, ICredentialSource
{
    public const int Files = 20_000;

    private readonly TemporaryFolder folder = new();

    public JsonElement Seen { get; private set; }

    /// <summary>Screenshots; kept where <c>IMAGEPUBLISH_PICTURES</c> says, to be looked at.</summary>
    private string Pictures => Environment.GetEnvironmentVariable("IMAGEPUBLISH_PICTURES") ?? folder["pictures"];

    public async ValueTask InitializeAsync()
    {
        var report = folder.Write("report.html", "");
        await File.WriteAllBytesAsync(report, await PublishTwiceAsync(CancellationToken.None));
        Directory.CreateDirectory(Pictures);
        Seen = await Browser.DriveAsync(folder["browser"], "drive.mjs", report, Pictures);
    }

    public ValueTask DisposeAsync()
    {
        folder.Dispose();
        return ValueTask.CompletedTask;
    }

    void IPublishLog.Warning(DiagnosticCode code, string message) => throw new InvalidOperationException(message);

    void IPublishLog.Information(string message) { }

    void IPublishLog.Detail(string message) { }

    ValueTask<Credential?> ICredentialSource.FindAsync(Registry registry, string? repository, CancellationToken ct) =>
        ValueTask.FromResult<Credential?>(null);

    private async Task<byte[]> PublishTwiceAsync(CancellationToken cancellationToken)
    {
        for (var file = 0; file < Files; file++)
            folder.Write(
                string.Create(CultureInfo.InvariantCulture, $"publish/part{file % 7}/group{file % 97}/file{file}.dat"),
                new string('x', file % 500)
            );
        folder.Write("publish/App.dll", "first");
        folder.Write("publish/Gone.dll", "gone");
        folder.Write("publish/part0/</script><b>needle.txt", new string('n', 5_000_000));
        folder.Write("publish/App.deps.json", Dependencies("1.0.0"));
        var store = ImageStore.Open(folder["store"], new StoreOptions());
        using var registries = new RegistryClient(new RegistryClientOptions(), this, this, TimeProvider.System);
        var context = new PublishContext(registries, store, this);
        var reporter = new ImageReporter(context);
        await new ImagePublisher(context).PublishAsync(Request("old"), cancellationToken);

        folder.Write("publish/App.dll", "second and longer");
        folder.Write("publish/App.deps.json", Dependencies("2.0.0"));
        File.Delete(folder["publish/Gone.dll"]);
        var published = await reporter.PublishAsync(Request("new </script>"), cancellationToken);
        return ReportPage.Write(
            "Large & <odd>",
            published.Result,
            TimeSpan.FromSeconds(4.2),
            ReportPage.Part(await reporter.DescribeAsync(published, cancellationToken))
        );
    }

    private PublishRequest Request(string setting)
    {
        IReadOnlyList<Tag> tags = [Tag.Parse("1.0.0"), Tag.Parse("latest")];
        return new PublishRequest
        {
            Spec = new ImageSpec
            {
                Platform = new Platform("linux", "amd64"),
                Created = DateTimeOffset.UnixEpoch,
                WorkingDirectory = "/app",
                Entrypoint = ["dotnet", "/app/App.dll"],
                EnvironmentVariables = [new("SETTING", setting)],
                Ports = [new ExposedPort(8080)],
            },
            Base = new ScratchImage(),
            PublishFolder = folder["publish"],
            Items = [new PublishItem("part0/</script><b>needle.txt", PublishItemOrigin.Package) { Package = "Hay.Stack" }],
            EntryDefaults = new LayerEntryDefaults(),
            Compression = new LayerCompression(Compression.Gzip, 1),
            Destinations = [],
            LocalName = "large",
            Tags = tags,
            ComparedTags = tags,
        };
    }

    private static string Dependencies(string version) =>
        $$"""{ "libraries": { "App/1.0.0": { "type": "project" }, "Some.Package/{{version}}": { "type": "package" } } }""";
}
