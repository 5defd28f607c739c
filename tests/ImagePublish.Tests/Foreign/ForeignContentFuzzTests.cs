using System.Buffers.Binary;
using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Engines;
using ImagePublish.Http;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Packages;
using ImagePublish.Packages.Deb;
using ImagePublish.Packages.Dependencies;
using ImagePublish.Packages.Layout;
using ImagePublish.Packages.Model;
using ImagePublish.Registries;
using ImagePublish.Registries.Auth;
using ImagePublish.Registries.Auth.Credentials;
using ImagePublish.Registries.Auth.Realms;
using ImagePublish.Registries.Blobs;
using ImagePublish.Registries.Connection;
using ImagePublish.Storage.Archives;
using ImagePublish.Tests.Storage;

namespace ImagePublish.Tests.Foreign;

/// <summary>
/// Every reader of foreign bytes reads damaged input or refuses it with the exception that it documents, and takes no more memory than the
/// test says: nothing else comes out.
/// The inputs are the same in each run. <c>IMAGEPUBLISH_FUZZ=100000</c> makes so many for each reader.
/// </summary>
public sealed class ForeignContentFuzzTests : IDisposable
{
    private const string Area = "Security";
    private const int UsualCount = 250;
    private const long Mebibyte = 1 << 20;

    private static readonly Registry Example = Registry.Parse("registry.example.com");

    private readonly string folder = Directory.CreateTempSubdirectory("imagepublish-fuzz-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static int Count =>
        int.TryParse(
            Environment.GetEnvironmentVariable("IMAGEPUBLISH_FUZZ"),
            NumberStyles.None,
            CultureInfo.InvariantCulture,
            out var count
        )
            ? count
            : UsualCount;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void References() =>
        Run(
            4 * Mebibyte,
            [
                "docker.io/library/nginx:1.27@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                "[::1]:5000/a/b:c",
                "localhost/x",
                "linux/arm64/v8",
            ],
            bytes =>
            {
                var text = Encoding.UTF8.GetString(bytes);
                _ = Reference.TryParse(text, out var reference, out _) ? reference!.ToString() : null;
                _ = Registry.TryParse(text, out var registry) ? (registry!.HostName, registry.IsLoopback) : default;
                _ = Platform.TryParse(text, out _);
                _ = Digest.TryParse(text, out _);
            }
        );

    [Fact]
    public void Challenges() =>
        Run(
            16 * Mebibyte,
            [
                """Bearer realm="https://auth.example.com/token?a=b",service="registry.example.com",scope="repository:acme/shop:pull,push repository:a:b:pull" """,
                "Basic realm=\"x\", Negotiate YWJj==, Bearer realm=https://localhost/token",
            ],
            bytes =>
            {
                var policy = new RealmPolicy(new HashSet<Registry>(), [], new HashSet<Registry>());
                foreach (var challenge in Challenge.ParseAll([Encoding.UTF8.GetString(bytes)]))
                {
                    var scopes = Scope.ParseList(challenge.Parameter("scope"));
                    _ = Scope.Covers(scopes, scopes);
                    if (BearerRealm.Read(challenge) is not { } realm)
                        continue;
                    policy.Check(Example, realm.Address);
                    _ = new TokenRequest(Example, realm, scopes, null).GetAddress;
                }
            }
        );

    [Fact]
    public void HeadersOfLists() =>
        Run(
            4 * Mebibyte,
            [
                "</v2/x/tags/list?n=1&last=a>; rel=\"next\"; title=\"a,b\", <b>; rel=prev",
                "https://Example.com:443/a?b=%2B#c",
                "bytes=0-99",
                "Wed, 21 Oct 2026 07:28:00 GMT",
            ],
            bytes =>
            {
                var text = Encoding.UTF8.GetString(bytes);
                _ = LinkHeader.Next([text]);
                _ = UploadRange.Parse(text);
                _ = RetryAfterHeader.Parse(text, DateTimeOffset.UnixEpoch);
                _ = RequestUrl.Root("https", "registry.example.com").TryResolve(text, out var url) ? url!.ToUri() : null;
            }
        );

    [Fact]
    public void Documents() => Run(64 * Mebibyte, Image(), bytes =>
        {
            Guarded<JsonException>(() => _ = OciJson.ReadManifest(bytes).Layers.Sum(layer => layer.Size));
            Guarded<JsonException>(() => _ = OciJson.ReadIndex(bytes).Manifests.Sum(entry => entry.Size));
            Guarded<JsonException>(() => _ = OciJson.ReadConfig(bytes).Platform.ToString());
        });

    [Fact]
    [ReliabilityCase(
        Area,
        "damaged layers, documents, archives, packages, tokens, errors, credentials",
        "each is read or refused with its own error, within a stated memory limit"
    )]
    public void Layers() => Run(96 * Mebibyte, LayerSamples(), bytes => ReadLayer(bytes));

    [Fact]
    public void CompressedLayers() =>
        Run(96 * Mebibyte, LayerSamples().SelectMany(tar => new[] { Gzip(tar), Zstd(tar) }), bytes => ReadLayer(bytes));

    [Fact]
    public void CompressedLayersOfDamagedTars() =>
        Run(96 * Mebibyte, LayerSamples(), bytes => ReadLayer(bytes.Length % 2 == 0 ? Gzip(bytes) : Zstd(bytes)));

    [Fact]
    public void Packages()
    {
        var package = new OsPackage("a", "1", "all", "pool/a.deb", 1, Digest.Compute("a"u8));
        var number = 0;
        Run(96 * Mebibyte, [Deb("gz"), Deb("zst"), Deb("xz"), Deb("")], bytes =>
        {
            Guarded<InvalidDataException>(() => ArMember.ReadAll(new MemoryStream(bytes)));
            var target = Directory.CreateDirectory(Path.Combine(folder, (number++).ToString(CultureInfo.InvariantCulture))).FullName;
            var archive = Path.Combine(target, "a.deb");
            File.WriteAllBytes(archive, bytes);
            UnpackedPackage.UnpackAsync("a", archive, target, Cancel).GetAwaiter().GetResult();
            new PackageLayout(null).LayOutAsync([new UnpackedPackage(package, target)], Cancel).GetAwaiter().GetResult();
        });
    }

    [Fact]
    public void XzFiles() =>
        Run(16 * Mebibyte, [Xz.Compress(LayerSamples().First(), "-9"), Xz.Compress(LayerSamples().First(), "--check=none")], bytes =>
            Guarded<InvalidDataException>(() =>
                Guarded<EndOfStreamException>(() => new XzStream(new MemoryStream(bytes)).CopyTo(Stream.Null))
            )
        );

    [Fact]
    public void ListsOfPackages() =>
        Run(
            64 * Mebibyte,
            ["Package: a\nStatus: install ok installed\nVersion: 1.0\nDescription: x\n y\n .\n z\n\n# remark\nPackage: b\nVersion: 2\n"],
            bytes =>
            {
                var text = Encoding.UTF8.GetString(bytes);
                foreach (var paragraph in ControlParagraph.ReadAll(text))
                    _ = paragraph["Package"] + paragraph["Description"];
            }
        );

    [Fact]
    public void PackageSourceLists() =>
        Run(
            64 * Mebibyte,
            [
                "deb [signed-by=/a.gpg arch=amd64] http://deb.example.com/debian bookworm main\n",
                "Types: deb deb-src\nURIs: http://a.example.com http://b.example.com\nSuites: x\nEnabled: yes\n",
            ],
            bytes =>
                _ = PackageSources
                    .Create(
                        new PackageRequest
                        {
                            Names = [],
                            CacheFolder = folder,
                            Time = TimeProvider.System,
                            Source = Encoding.UTF8.GetString(bytes),
                        },
                        null
                    )
                    .Addresses.Count
        );

    [Fact]
    public void Programs() =>
        Run(16 * Mebibyte, new[] { Elf(), File.ReadAllBytes(typeof(ReliabilityCaseAttribute).Assembly.Location) }, bytes =>
        {
            _ = ElfFile.TryRead(new MemoryStream(bytes));
            _ = ManagedFile.TryRead(new MemoryStream(bytes));
        });

    [Fact]
    public void DockerArchives() => Run(96 * Mebibyte, new[] { DockerArchive() }, ReadArchive);

    [Fact]
    public async Task Layouts()
    {
        var layout = await LayoutAsync();
        Run(96 * Mebibyte, new[] { layout, Gzip(layout) }, ReadArchive);
    }

    [Fact]
    public void DockersConfig() =>
        Run(
            16 * Mebibyte,
            [
                """{"auths":{"https://index.docker.io/v1/":{"auth":"dXNlcjpwYXNzd29yZA=="},"registry.example.com/acme":{"identitytoken":"t","username":"u","password":"p"}},"credHelpers":{"a.example.com":"x"},"credsStore":"y"}""",
            ],
            bytes =>
            {
                var config = AuthConfig.Parse(bytes, "config.json");
                _ = config.Helper(Example, "acme/shop");
                _ = config.Find(Example, "acme/shop");
                _ = config.Find(Registry.DockerHub, null);
            }
        );

    [Fact]
    public void Tokens() =>
        Run(
            16 * Mebibyte,
            [
                """{"token":"abc","access_token":"def","expires_in":300,"issued_at":"2026-01-01T00:00:00Z","refresh_token":"r"}""",
                """{"errors":[{"code":"DENIED","message":"no","detail":{}}]}""",
            ],
            bytes =>
            {
                var request = new TokenRequest(
                    Example,
                    new BearerRealm(new Uri("https://auth.example.com/token"), "s"),
                    [Scope.Pull("acme/shop")],
                    Credential.Create("u", "p")
                );
                var response = new TokenHttpResponse(HttpStatusCode.OK, bytes);
                _ = TokenAnswer.Failure(request, response with { Status = HttpStatusCode.Forbidden }, new Redactor());
                Guarded<ImagePublishException>(() => TokenAnswer.ReadRefreshToken(request, response));
                TokenAnswer.Read(request, response, DateTimeOffset.UnixEpoch);
            }
        );

    [Fact]
    public void ErrorBodies() =>
        Run(
            16 * Mebibyte,
            [
                """{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown","detail":{"digest":"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}}]}""",
                "<html><title>502 Bad Gateway</title></html>",
            ],
            bytes =>
            {
                Assert.DoesNotContain('\n', RegistryErrors.Parse(bytes, "application/json", new Redactor()).Text);
                Assert.DoesNotContain('\n', RegistryErrors.Parse(bytes, "text/html", new Redactor()).Text);
            }
        );

    [Fact]
    [ReliabilityCase(Area, "damaged answers of a container engine, and a damaged context of its client", "read, or IMG3108 in one line")]
    public void DocumentsOfEngines()
    {
        using var connection = new EngineConnection(new DockerAddress("unix", "/run/docker.sock"));
        Run(
            32 * Mebibyte,
            [
                """{"Components":[{"Name":"Podman Engine","Version":"4.3.1"},{"Name":"Conmon"}],"ApiVersion":"1.41"}""",
                """{"Driver":"overlay2","DriverStatus":[["driver-type","io.containerd.snapshotter.v1"],["Backing Filesystem","extfs"]]}""",
                """[{"Id":"sha256:0123456789abcdef","RepoTags":["acme/shop:1"],"Size":1},{"Id":"sha256:fedc","RepoTags":null}]""",
                """{"Id":"sha256:0123456789abcdef","RootFS":{"Type":"layers","Layers":["sha256:01","sha256:02"]}}""",
                "{\"stream\":\"Loaded image: acme/shop:1\\n\"}\n{\"errorDetail\":{\"message\":\"no space\"},\"error\":\"no space\"}\n",
                """{"message":"No such image: acme/shop:1"}""",
            ],
            bytes =>
            {
                Guarded<ImagePublishException>(() => connection.Read("version", bytes, DockerEngine.IsPodman));
                Guarded<ImagePublishException>(() => connection.Read("info", bytes, DockerEngine.KeepsLayersByDiffId));
                Guarded<ImagePublishException>(() => connection.Read("images/x/json", bytes, DockerEngine.Layers));
                Guarded<ImagePublishException>(() => connection.Read("images/x/json", bytes, DockerEngine.Id));
                _ = DockerEngine.ReadReport(bytes).Count;
                _ = EngineConnection.Message(bytes);
                connection.Read("images/json", bytes, DockerEngine.ReadIds);
            }
        );
    }

    [Fact]
    public void ContextsOfEngines()
    {
        var settings = new EngineSettings { Variable = _ => null, HomeFolder = folder };
        Directory.CreateDirectory(settings.DockerFolder);
        Run(
            16 * Mebibyte,
            [
                """{"currentContext":"remote","auths":{}}""",
                """{"Name":"remote","Metadata":{},"Endpoints":{"docker":{"Host":"tcp://build.example.com:2376","SkipTLSVerify":false}}}""",
                "unix:///run/user/1000/docker.sock",
                "npipe:////./pipe/docker_engine",
            ],
            bytes =>
            {
                File.WriteAllBytes(Path.Combine(settings.DockerFolder, "config.json"), bytes);
                _ = DockerAddress.Find(settings)?.ToString();
                var meta = Path.Combine(settings.DockerFolder, "contexts", "meta", Digest.Compute("remote"u8).Value["sha256:".Length..]);
                Directory.CreateDirectory(meta);
                File.WriteAllBytes(Path.Combine(meta, "meta.json"), bytes);
                File.WriteAllText(Path.Combine(settings.DockerFolder, "config.json"), """{"currentContext":"remote"}""");
                _ = DockerAddress.Find(settings)?.ToString();
                _ = DockerAddress.TryParse(Encoding.UTF8.GetString(bytes))?.ToString();
            }
        );
    }

    [Fact]
    public void AnswersOfHelpers() =>
        Run(
            16 * Mebibyte,
            [
                """{"ServerURL":"https://registry.example.com","Username":"user","Secret":"secret"}""",
                """{"Username":"<token>","Secret":"t"}""",
            ],
            bytes => CredentialHelpers.Read("x", new ProgramResult(0, bytes, ""))
        );

    private static void Run(long most, IEnumerable<string> samples, Action<byte[]> read) =>
        Run(most, samples.Select(Encoding.UTF8.GetBytes), read);

    private static void Run(long most, IEnumerable<byte[]> samples, Action<byte[]> read)
    {
        byte[][] known = [.. samples];
        foreach (var sample in known)
            Guarded<ImagePublishException>(() => read(sample));
        for (var seed = 1; seed <= Count; seed++)
        {
            Cancel.ThrowIfCancellationRequested();
            var input = Mutator.Mutate(known, seed);
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                read(input);
            }
            catch (ImagePublishException failure)
            {
                Assert.False(failure.Message.Contains('\n', StringComparison.Ordinal), $"Seed {seed}: {failure.Message}");
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                Assert.Fail($"Seed {seed} ({input.Length} bytes): {exception}");
            }

            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(allocated <= most, $"Seed {seed}: {input.Length} bytes took {allocated} bytes of memory, and may take {most}.");
        }
    }

    private static void Guarded<T>(Action read)
        where T : Exception
    {
        try
        {
            read();
        }
        catch (Exception exception) when (exception is T or ImagePublishException)
        {
            // What the reader documents.
        }
    }

    private static void ReadLayer(byte[] bytes)
    {
        var listing = LayerListing.ReadAsync(new MemoryStream(bytes), new LayerReaderOptions(), Cancel).GetAwaiter().GetResult();
        var files = new BaseFileSystem([listing, listing]);
        _ = files.All().Sum(entry => entry.Path.Length);
        _ = files.Accounts.FindUser("root");
        _ = PackageBase.Installed(files).Count();
        _ = new PackageBase("base", files).ReadSources().Count;
        _ = new ImageInventory(files).IsMusl;
        Assert.Equal(listing.Entries.Count, LayerListing.TryRead(listing.Write())?.Entries.Count);
    }

    private void ReadArchive(byte[] bytes)
    {
        var options = new ArchiveOptions { OpenFile = _ => new MemoryStream(bytes), TemporaryFolder = folder };
        using var archive = ImageArchive.OpenAsync(Path.Combine(folder, "archive"), options, Cancel).GetAwaiter().GetResult();
        _ = archive.Images.Sum(image => image.Platforms.Sum(platform => platform.Size));
        foreach (var blob in archive.Images.SelectMany(image => image.Blobs))
        {
            using var content = blob.OpenAsync(0, Cancel).AsTask().GetAwaiter().GetResult();
            content.CopyTo(Stream.Null);
        }
    }

    private static IEnumerable<byte[]> Image()
    {
        var image = SmallImage.Create("amd64", "one", "two");
        var index = new ImageIndex([
            image.IndexEntry,
            image.IndexEntry with
            {
                Annotations = new Dictionary<string, string> { ["a"] = "b" },
            },
        ])
        {
            MediaType = MediaTypes.OciIndex,
        };
        return [image.Manifest.Content.ToArray(), image.ConfigBlob.Content.ToArray(), OciJson.Write(index)];
    }

    private static IEnumerable<byte[]> LayerSamples()
    {
        (string, byte[])[] files =
        [
            ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"u8.ToArray()),
            ("usr/bin/sh", "->dash"u8.ToArray()),
            ("usr/bin/dash", new byte[700]),
            ("usr/bin/d2", "=>usr/bin/dash"u8.ToArray()),
            ("var/lib/dpkg/status", "Package: a\nVersion: 1\nStatus: install ok installed\n\n"u8.ToArray()),
            ("etc/apt/sources.list", "deb http://a x main\n"u8.ToArray()),
            (new string('n', 150) + "/" + new string('m', 90), [1, 2, 3]),
            ("etc/.wh.passwd", []),
            ("lib/.wh..wh..opq", []),
            ("bin", "->usr/bin"u8.ToArray()),
        ];
        return [TarBuilder.Create(TarEntryFormat.Pax, files), TarBuilder.Create(TarEntryFormat.Gnu, files)];
    }

    private static byte[] Deb(string compression) =>
        new DebBuilder("a") { Compression = compression, Fields = "Replaces: b (<< 2), c\n" }
            .Folder("./usr/share/doc/a")
            .File("./usr/share/doc/a/copyright", "free")
            .Link("./usr/lib/a", "b")
            .File("./usr/bin/a", "program")
            .HardLink("./usr/bin/b", "./usr/bin/a")
            .File("./usr/share/ca-certificates/a.crt", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
            .Build();

    private static byte[] DockerArchive()
    {
        var layer = TarBuilder.Create(("file", new byte[10]));
        var config = Encoding.UTF8.GetBytes(
            $$"""{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["{{Digest.Compute(layer)}}"]} }"""
        );
        return TarBuilder.Create(
            ("manifest.json", """[{"Config":"c.json","RepoTags":["acme/shop:1"],"Layers":["l/layer.tar"]}]"""u8.ToArray()),
            ("c.json", config),
            ("l/layer.tar", "->../m"u8.ToArray()),
            ("m", layer)
        );
    }

    private static async Task<byte[]> LayoutAsync()
    {
        using var tar = new MemoryStream();
        await ArchiveWriter.WriteAsync([ArchiveImage.Create(SmallImage.Create("amd64", "one", "two"), "acme/shop:1")], tar, Cancel);
        return tar.ToArray();
    }

    // A 64-bit program with one segment, one needed library and its name.
    private static byte[] Elf()
    {
        var file = new byte[400];
        "\u007fELF\u0002\u0001\u0001"u8.CopyTo(file);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(18), 62);
        BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(32), 64);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(54), 56);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(56), 2);
        WriteSegment(file.AsSpan(64), kind: 1, offset: 0, size: 400);
        WriteSegment(file.AsSpan(120), kind: 2, offset: 200, size: 48);
        long[] entries = [1, 1, 5, 300, 0, 0];
        for (var at = 0; at < entries.Length; at++)
            BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(200 + (8 * at)), entries[at]);
        "\0libc.so.6\0"u8.CopyTo(file.AsSpan(300));
        Assert.Equal(["libc.so.6"], ElfFile.TryRead(new MemoryStream(file))!.Needed);
        return file;
    }

    private static void WriteSegment(Span<byte> header, int kind, long offset, long size)
    {
        BinaryPrimitives.WriteInt32LittleEndian(header, kind);
        BinaryPrimitives.WriteInt64LittleEndian(header[8..], offset);
        BinaryPrimitives.WriteInt64LittleEndian(header[16..], offset);
        BinaryPrimitives.WriteInt64LittleEndian(header[32..], size);
    }

    private static byte[] Gzip(byte[] bytes)
    {
        using var blob = new MemoryStream();
        using (var gzip = new GZipStream(blob, CompressionLevel.Fastest))
            gzip.Write(bytes);
        return blob.ToArray();
    }

    private static byte[] Zstd(byte[] bytes)
    {
        using var zstd = new ZstdSharp.Compressor();
        return zstd.Wrap(bytes).ToArray();
    }
}
