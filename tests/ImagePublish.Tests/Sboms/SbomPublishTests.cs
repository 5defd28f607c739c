using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ImagePublish.Attachments;
using ImagePublish.Bases;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Requests;
using ImagePublish.Sboms;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Sboms;

/// <summary>The bill of materials that a publish writes.</summary>
public sealed class SbomPublishTests
{
    private const string BaseImage = "dotnet/base";
    private const string Runtime = "Microsoft.NETCore.App.Runtime.linux-x64 10.0.2";

    [Fact]
    public async Task EveryFileOfTheImageBelongsToOneComponentAndNoOtherIsListed()
    {
        await using var bench = await SbomBench.StartAsync();

        var document = await bench.PublishAsync(bench.Request());

        var glibc = "libc6 2.36-9+deb12u10";
        Assert.Equal(
            [
                ("./app/App.dll", "App 1.2.3"),
                ("./app/Package.dll", "Package 1.0.0"),
                ("./app/wwwroot/site.css", "App 1.2.3"),
                ("./etc/os-release", BaseImage),
                ("./etc/passwd", BaseImage),
                ("./usr/lib/libc-2.so", glibc),
                ("./usr/lib/libc.so.6", glibc),
                ("./usr/share/dotnet/dotnet", Runtime),
                (
                    "./usr/share/dotnet/shared/Microsoft.AspNetCore.App/10.0.2/Microsoft.AspNetCore.dll",
                    "Microsoft.AspNetCore.App.Runtime.linux-x64 10.0.2"
                ),
                ("./usr/share/dotnet/shared/Microsoft.NETCore.App/10.0.2/System.Runtime.dll", Runtime),
                ("./var/lib/dpkg/info/libc6:amd64.list", BaseImage),
                ("./var/lib/dpkg/status", BaseImage),
            ],
            Owners(document)
        );
    }

    [Fact]
    public async Task AFileHasItsHashesAndTheLayerThatItIsIn()
    {
        await using var bench = await SbomBench.StartAsync();

        var document = await bench.PublishAsync(bench.Request());

        var file = document.GetProperty("files").EnumerateArray().Single(one => Text(one, "fileName") == "./usr/lib/libc-2.so");
        var content = Encoding.UTF8.GetBytes("c library");
#pragma warning disable CA5350
        var sha1 = Convert.ToHexStringLower(SHA1.HashData(content));
#pragma warning restore CA5350
        Assert.Equal(
            [("SHA1", sha1), ("SHA256", Convert.ToHexStringLower(SHA256.HashData(content)))],
            file.GetProperty("checksums").EnumerateArray().Select(sum => (Text(sum, "algorithm"), Text(sum, "checksumValue")))
        );
        Assert.Matches("^layerID: sha256:[0-9a-f]{64}$", Text(file, "comment"));
    }

    [Fact]
    public async Task ThePartsAreNamedAsScannersKnowThem()
    {
        await using var bench = await SbomBench.StartAsync();

        var document = await bench.PublishAsync(bench.Request());

        string[] urls =
        [
            .. document
                .GetProperty("packages")
                .EnumerateArray()
                .Where(package => package.TryGetProperty("externalRefs", out _))
                .Select(package => Text(package.GetProperty("externalRefs")[0], "referenceLocator")),
        ];
        Assert.Contains("pkg:deb/debian/libc6@2.36-9%2Bdeb12u10?arch=amd64&distro=debian-12&upstream=glibc", urls);
        Assert.Contains("pkg:deb/debian/libgcc-s1@12.2.0-14?arch=amd64&distro=debian-12&upstream=gcc-12", urls);
        Assert.Contains("pkg:nuget/Package@1.0.0", urls);
        Assert.Contains("pkg:nuget/Microsoft.NETCore.App.Runtime.linux-x64@10.0.2", urls);
        Assert.DoesNotContain(urls, url => url.Contains("removed", StringComparison.Ordinal));
        Assert.Equal("MIT", Text(Package(document, "Package"), "licenseDeclared"));
        Assert.Equal("Organization: Acme", Text(Package(document, "Package"), "supplier"));
        Assert.Equal("built package from: gcc-12 12.2.0-14", Text(Package(document, "libgcc-s1"), "sourceInfo"));
    }

    [Theory]
    [InlineData(nameof(SbomFormat.Spdx), AttachmentTypes.Spdx, nameof(AttestationPlacement.Referrers))]
    [InlineData(nameof(SbomFormat.CycloneDx), AttachmentTypes.CycloneDx, nameof(AttestationPlacement.Referrers))]
    [InlineData(nameof(SbomFormat.Spdx), AttachmentTypes.Spdx, nameof(AttestationPlacement.Index))]
    public async Task WhatIsAttachedToTheImageIsTheFile(string form, string predicateType, string placement)
    {
        await using var bench = await SbomBench.StartAsync();
        var request = bench.Request(format: Enum.Parse<SbomFormat>(form)) with
        {
            Attestations = new AttestationRequest(Enum.Parse<AttestationPlacement>(placement)),
        };

        var result = await bench.Publishing.PublishAsync(request);

        var attached = Assert.Single(result.Attached);
        Assert.Equal([predicateType], attached.Types);
        var content = bench.Publishing.Server.Content;
        var manifest = OciJson.ReadManifest(content.Manifest("acme/shop", attached.Descriptor.Digest.Value)!.Bytes.Span);
        using var statement = JsonDocument.Parse(content.Blob("acme/shop", manifest.Layers[0].Digest.Value)!);
        Assert.Equal(predicateType, statement.RootElement.GetProperty("predicateType").GetString());
        Assert.Equal(result.Image.Digest, manifest.Subject!.Digest);
        Assert.Equal(
            Encoding.UTF8.GetString(await BytesAsync(request)).TrimEnd(),
            statement.RootElement.GetProperty("predicate").GetRawText()
        );
        Assert.Equal(placement == nameof(AttestationPlacement.Index), result.Root != result.Image.Manifest);
    }

    [Fact]
    public async Task AnImageThatHasProvenanceGetsTheBillAlone()
    {
        await using var bench = await SbomBench.StartAsync();
        var provenance = new AttestationRequest(AttestationPlacement.Referrers)
        {
            Provenance = new BuildFacts { Tool = new BuildTool("1.0"), Project = "App.csproj" },
        };
        var first = await bench.Publishing.PublishAsync(bench.Request() with { Sbom = null, Attestations = provenance });

        var second = await bench.Publishing.PublishAsync(bench.Request() with { Attestations = provenance });
        var third = await bench.Publishing.PublishAsync(bench.Request() with { Attestations = provenance });

        Assert.True(second.IsUnchanged);
        Assert.Equal([AttachmentTypes.Provenance], first.Attached.SelectMany(one => one.Types));
        Assert.Equal([AttachmentTypes.Provenance, AttachmentTypes.Spdx], second.Attached.SelectMany(one => one.Types).Order());
        Assert.Contains(second.Attached, one => one.Descriptor.Digest == first.Attached[0].Descriptor.Digest);
        Assert.Equal(second.Attached.Count, third.Attached.Count);
    }

    [Theory]
    [InlineData(nameof(SbomFormat.Spdx))]
    [InlineData(nameof(SbomFormat.CycloneDx))]
    [ReliabilityCase("Files", "the same image published on two machines with an SBOM", "the SBOMs have the same bytes")]
    public async Task AnotherMachineWritesTheSameBytes(string form)
    {
        var format = Enum.Parse<SbomFormat>(form);
        await using var bench = await SbomBench.StartAsync();
        var (one, other) = (bench.Request("one.json", format), bench.Request("other.json", format));

        await bench.PublishAsync(one);
        await bench.PublishAsync(other, "another");

        Assert.Equal(await BytesAsync(one), await BytesAsync(other));
    }

    [Fact]
    public async Task AnUnchangedPublishRestoresTheFileWithoutFurtherRequests()
    {
        await using var bench = await SbomBench.StartAsync();
        var request = bench.Request();
        await bench.PublishAsync(request);
        var written = await BytesAsync(request);
        File.Delete(request.Sbom!.File);
        await bench.Publishing.PublishAsync(request with { Sbom = null });
        await bench.Publishing.PublishAsync(request with { Sbom = null });
        var without = bench.Publishing.Server.Requests.Count;

        var result = await bench.Publishing.PublishAsync(request);

        Assert.True(result.IsUnchanged);
        Assert.Equal(written, await BytesAsync(request));
        Assert.Equal(without, bench.Publishing.Server.Requests.Count);
    }

    [Fact]
    public async Task OneThatTheStoreLostIsMadeAnewWithoutReadingALayer()
    {
        await using var bench = await SbomBench.StartAsync();
        var request = bench.Request();
        await bench.PublishAsync(request);
        var written = await BytesAsync(request);
        var blob = Path.Combine(bench.Publishing.Store().Folder, "blobs", "sha256", Digest.Compute(written).Hex);
        File.Delete(blob);

        var result = await bench.Publishing.PublishAsync(request);

        Assert.True(result.IsUnchanged);
        Assert.Equal(written, await BytesAsync(request));
        Assert.Equal(0, bench.Publishing.Moved(RegistryStep.BlobGet));
    }

    [Fact]
    [ReliabilityCase(
        "Base images",
        "an SBOM of an image whose base is in another registry",
        "each layer of the base is downloaded once, for the upload and the SBOM"
    )]
    public async Task ALayerOfTheBaseIsDownloadedOnce()
    {
        await using var bench = await SbomBench.StartAsync();
        await using var target = await TestRegistry.StartAsync(cancellationToken: PublishingBench.Cancel);
        var request = bench.Request() with { Destinations = [Repository.Create(Registry.Parse(target.Host), "acme/shop")] };

        await bench.PublishAsync(request);
        var first = bench.Publishing.Moved(RegistryStep.BlobGet);
        bench.Publishing.Write("App.dll", "app 2");
        await bench.PublishAsync(request);
        var second = bench.Publishing.Moved(RegistryStep.BlobGet);

        // Two layers and the config.
        Assert.Equal((3, 0), (first, second));
    }

    [Fact]
    public async Task APlanWritesNone()
    {
        await using var bench = await SbomBench.StartAsync();
        var request = bench.Request();

        await bench.Publishing.PlanAsync(request);

        Assert.False(File.Exists(request.Sbom!.File));
        Assert.Equal(0, bench.Publishing.Moved(RegistryStep.UploadPost));
    }

    [Fact]
    public async Task ThePublishToTheLocalStoreHasOne()
    {
        await using var bench = await SbomBench.StartAsync();

        var document = await bench.PublishAsync(bench.Request() with { Destinations = [] });

        Assert.Equal(12, document.GetProperty("files").GetArrayLength());
    }

    [Fact]
    [ReliabilityCase("Files", "an SBOM file that can't be written", "one line with IMG3003, and no tag moves")]
    public async Task WhereItsFileCanNotBeWrittenNoTagMoves()
    {
        await using var bench = await SbomBench.StartAsync();
        await File.WriteAllTextAsync(bench["taken"], "", PublishingBench.Cancel);
        var request = bench.Request("taken/app.spdx.json");

        var failure = await Assert.ThrowsAsync<ImagePublishException>(() => bench.Publishing.PublishAsync(request));

        Assert.Equal(DiagnosticCodes.DiskFailed, failure.Code);
        Assert.DoesNotContain('\n', failure.Message);
        Assert.Null(bench.Publishing.TagDigest("acme/shop", "1.0"));
    }

    [Fact]
    public async Task OneThatIsTooLargeForSomeReadersIsAWarning()
    {
        await using var bench = await SbomBench.StartAsync();
        var files = Enumerable.Range(0, 32_000).Select(number => $"f 644 0:0 usr/share/data/{number}");
        bench.Publishing.Server.SeedImage("acme/large", "1", [TreeLayer.Create([.. files])], Seeding.ConfigOf("amd64"));

        var document = await bench.PublishAsync(bench.Request() with { Base = Image(bench, "acme/large") });

        Assert.Equal(32_003, document.GetProperty("files").GetArrayLength());
        Assert.Contains(
            "MiB; some services take no more than 16 MiB",
            Assert.Single(bench.Publishing.Log.Warnings),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task WhatIsMergedIntoTheProgramIsListedWithoutFiles()
    {
        await using var bench = await SbomBench.StartAsync();
        bench.AddPackage("Bundled", "2.0.0", "<license type=\"expression\">Apache-2.0</license>");
        var request = bench.Request();
        var bundled = new SourceFile("Bundled.dll") { Package = new NuGetPackage("Bundled", "2.0.0"), IsMerged = true };

        var document = await bench.PublishAsync(
            request with
            {
                Sbom = request.Sbom! with { Sources = [.. request.Sbom.Sources, bundled] },
            }
        );

        Assert.Equal("Apache-2.0", Text(Package(document, "Bundled"), "licenseDeclared"));
        Assert.DoesNotContain(Owners(document), owner => owner.Owner == "Bundled 2.0.0");
    }

    [Fact]
    public async Task FilesAndLayersOfOtherImagesBelongToThem()
    {
        await using var bench = await SbomBench.StartAsync();
        var server = bench.Publishing.Server;
        server.SeedImage("acme/tools", "1", [TreeLayer.Create("f 755 0:0 usr/bin/tool tool")], Seeding.ConfigOf("amd64"));
        server.SeedImage("acme/agent", "1", [TreeLayer.Create("f 755 0:0 opt/agent agent")], Seeding.ConfigOf("amd64"));
        var request = bench.Request() with
        {
            OtherImages = new OtherImages(
                [new FilesOfImage(new ItemSource("ImageFile", "tool", null), Image(bench, "acme/tools"), "usr/bin/tool")],
                [new LayersOfImage(new ItemSource("ImageLayerFrom", "agent", null), Image(bench, "acme/agent"))]
            ),
        };

        var owners = Owners(await bench.PublishAsync(request));

        Assert.Contains(("./usr/bin/tool", "acme/tools"), owners);
        Assert.Contains(("./opt/agent", "acme/agent"), owners);
    }

    private static RegistryImage Image(SbomBench bench, string name) => new(bench.Publishing.Named(name).ReferenceTo(Tag.Parse("1")));

    private static Task<byte[]> BytesAsync(PublishRequest request) => File.ReadAllBytesAsync(request.Sbom!.File, PublishingBench.Cancel);

    private static JsonElement Package(JsonElement document, string name) =>
        document.GetProperty("packages").EnumerateArray().Single(package => Text(package, "name") == name);

    // Each file with its owner: the name and, besides images, the version.
    private static List<(string File, string Owner)> Owners(JsonElement document)
    {
        var packages = document.GetProperty("packages").EnumerateArray().ToDictionary(package => Text(package, "SPDXID"), NameOf);
        var relations = document.GetProperty("relationships").EnumerateArray();
        var owners = relations
            .Where(relation => Text(relation, "relationshipType") == "CONTAINS")
            .ToLookup(relation => Text(relation, "relatedSpdxElement"), relation => Text(relation, "spdxElementId"));
        return
        [
            .. document
                .GetProperty("files")
                .EnumerateArray()
                .Select(file => (Text(file, "fileName"), packages[Assert.Single(owners[Text(file, "SPDXID")])])),
        ];
    }

    private static string NameOf(JsonElement package)
    {
        var name = Text(package, "name");
        return Text(package, "SPDXID").Contains("Image", StringComparison.Ordinal)
            ? name[(name.IndexOf('/', StringComparison.Ordinal) + 1)..]
            : $"{name} {(package.TryGetProperty("versionInfo", out var version) ? version.GetString() : "")}";
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;
}
