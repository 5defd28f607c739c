using System.Collections;
using System.Security.Cryptography;
using System.Text;
using ImagePublish.Attachments;
using ImagePublish.Bases;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Http;
using ImagePublish.Images;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Packages;
using ImagePublish.Packages.Model;
using ImagePublish.Policies;
using ImagePublish.Publishing;
using ImagePublish.Requests;
using ImagePublish.Sboms;
using ImagePublish.Signing;
using ImagePublish.Signing.Keyless;
using ImagePublish.Signing.Notation;
using ImagePublish.Tests.Signing;
using ImagePublish.Trust;
using ImagePublish.UpToDate;

namespace ImagePublish.Tests.Publishing;

/// <summary>
/// A property that the fingerprint forgot would publish yesterday's image: every one of them, also those of tomorrow, must change it.
/// </summary>
public sealed class RequestFingerprintTests
{
    private static readonly string[] NotDeciding =
    [
        ".Item",
        ".Unknown",
        nameof(PublishRequest.Packages),
        "PublishRequest.Lock",
        "PublishRequest.DependencyCheck",
        nameof(PublishRequest.ComparedTags),
        ".Provenance.Run",
        // The token is another one in each job.
        ".Source.Value",
        ".Source.Service",
        // Its certificates tell it.
        ".Notation.Key.Key",
    ];

    private static readonly SigningKey OwnKey = NewSigningKey();
    private static readonly NotationRequest OwnNotation = NewNotation();

    [Fact]
    public void TheSameRequestHasTheSameFingerprint() =>
        Assert.Equal(RequestFingerprint.Compute(Whole()), RequestFingerprint.Compute(Whole()));

    [Fact]
    public void EveryPropertyOfARequestChangesIt()
    {
        var original = RequestFingerprint.Compute(Whole());
        var changed = Changes(Whole(), nameof(PublishRequest)).ToList();

        Assert.True(changed.Count > 60, $"Only {changed.Count} properties were found.");
        Assert.Empty(
            changed.Where(change => RequestFingerprint.Compute((PublishRequest)change.Value) == original).Select(change => change.What)
        );
    }

    // What the lock's file is called does not matter.
    [Fact]
    public void WhatALockPinsChangesIt()
    {
        var digest = Digest.Compute([1]);
        var package = new OsPackage("shop", "1.0", "all", "shop.deb", 1, digest);
        var request = Whole() with
        {
            Packages = new PackageRequest
            {
                Names = [],
                CacheFolder = "/cache",
                Time = TimeProvider.System,
                Locked = [package],
            },
        };
        var pinned = new RegistryImage(((RegistryImage)request.Base).Reference) { Locked = digest };

        Assert.NotEqual(RequestFingerprint.Compute(Whole()), RequestFingerprint.Compute(request));
        Assert.NotEqual(RequestFingerprint.Compute(request), RequestFingerprint.Compute(request with { Base = pinned }));
        Assert.NotEqual(
            RequestFingerprint.Compute(request),
            RequestFingerprint.Compute(
                request with
                {
                    Packages = request.Packages with { Locked = [package with { Digest = Digest.Compute([2]) }] },
                }
            )
        );
    }

    [Fact]
    public void WhatStandsInTwoListsIsToldApart()
    {
        var request = Whole();
        var one = request with { Spec = request.Spec with { Entrypoint = ["a", "b"], Command = [] } };
        var other = request with { Spec = request.Spec with { Entrypoint = ["a"], Command = ["b"] } };

        Assert.NotEqual(RequestFingerprint.Compute(one), RequestFingerprint.Compute(other));
    }

    /// <summary>The value with each of its properties changed in turn, those of its properties' values too.</summary>
    private static IEnumerable<(string What, object Value)> Changes(object value, string path)
    {
        foreach (
            var property in value
                .GetType()
                .GetProperties()
                .Where(property => property.SetMethod is not null && property.GetIndexParameters().Length == 0)
        )
        {
            var name = $"{path}.{property.Name}";
            if (NotDeciding.Any(name.EndsWith))
                continue;
            foreach (var (what, other) in Others(property.GetValue(value), property.PropertyType, name))
            {
                var copy = value.GetType().GetMethod("<Clone>$")!.Invoke(value, null)!;
                property.SetValue(copy, other);
                yield return (what, copy);
            }
        }
    }

    private static SigningRequest Signed()
    {
        var service = new RequestUrl("https", "sigstore.example.test", "/");
        return new SigningRequest(OwnKey, SignatureFormat.Both)
        {
            Keyless = new KeylessRequest(new IdentityTokenSource { Name = "GitHub", Identity = "workflow" }, ReadRoot(""))
            {
                Config = ReadConfig(""),
                Authority = service,
                Log = service,
                TimeStamps = service,
            },
            Notation = OwnNotation with { Plugin = NewPlugin("one"), TimeStamps = service },
        };
    }

    // The same content is another file with a blank more.
    private static SigstoreRoot ReadRoot(string end)
    {
        using var stream = typeof(SigstoreRoot).Assembly.GetManifestResourceStream("ImagePublish.SigstorePublicGood.json")!;
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return SigstoreRoot.Parse(new[] { bytes.ToArray(), Encoding.UTF8.GetBytes(end) }.SelectMany(part => part).ToArray());
    }

    private static SigningConfig ReadConfig(string end) =>
        SigningConfig.Parse(Encoding.UTF8.GetBytes($$"""{"mediaType":"{{SigningConfig.MediaType}}"}{{end}}"""));

    private static NotationRequest NewNotation() => NotationSigningTests.Signing(new TestAuthority().Issue()).Notation!;

    private static NotationPlugin NewPlugin(string key) => new("/usr/bin/notation-vault", new PluginKey(key), new Redactor());

    private static SigningKey NewSigningKey()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return SigningKey.Parse("key", key.ExportPkcs8PrivateKeyPem(), null);
    }

    private static IEnumerable<(string What, object? Value)> Others(object? value, Type type, string name) =>
        value switch
        {
            null => throw new InvalidOperationException($"{name} needs a value in this test."),
            string text => [(name, text + "x")],
            bool flag => [(name, !flag)],
            int number => [(name, number + 1)],
            long number => [(name, number + 1)],
            DateTimeOffset time => [(name, time.AddSeconds(1))],
            Enum one => [(name, Enum.GetValues(one.GetType()).Cast<object>().First(other => !other.Equals(one)))],
            Tag => [(name, Tag.Parse("other"))],
            ContentTag => [(name, ContentTag.Parse("other-{content}"))],
            Reference or RegistryImage =>
            [
                (
                    name,
                    value is Reference
                        ? Reference.Parse("example.test/other:1")
                        : new RegistryImage(Reference.Parse("example.test/other:1"))
                ),
            ],
            CacheSecret => [(name, Key('b'))],
            TrustPolicy => [(name, Trusting('b'))],
            SigningKey => [(name, NewSigningKey())],
            SigningCertificates => [(name, NewNotation().Key!.Certificates)],
            NotationPlugin => [(name, NewPlugin("other"))],
            SigstoreRoot => [(name, ReadRoot(" "))],
            SigningConfig => [(name, ReadConfig(" "))],
            Repository => [(name, Repository.Create(Registry.Parse("example.test"), "other"))],
            LayerCompression => [(name, new LayerCompression(Compression.Gzip, 3)), (name, new LayerCompression(Compression.Zstd, null))],
            KeyValuePair<string, string> pair =>
            [
                (name + ".Key", KeyValuePair.Create(pair.Key + "x", pair.Value)),
                (name + ".Value", KeyValuePair.Create(pair.Key, pair.Value + "x")),
            ],
            IEnumerable list => Lists([.. list.Cast<object>()], type, name),
            _ => Changes(value, name).Select(change => (change.What, (object?)change.Value)),
        };

    private static IEnumerable<(string What, object? Value)> Lists(object[] items, Type type, string name)
    {
        if (items.Length == 0)
            throw new InvalidOperationException($"{name} needs an element in this test.");
        var element = type.GetGenericArguments()[0];
        yield return ($"{name} (empty)", Array.CreateInstance(element, 0));
        foreach (var (what, other) in Others(items[0], element, $"{name}[0]"))
        {
            var array = Array.CreateInstance(element, 1);
            array.SetValue(other, 0);
            yield return (what, array);
        }
    }

    private static PublishRequest Whole() =>
        new()
        {
            Spec = new ImageSpec
            {
                Platform = new Platform("linux", "arm")
                {
                    Variant = "v7",
                    OsVersion = "10",
                    OsFeatures = ["feature"],
                },
                Created = DateTimeOffset.UnixEpoch,
                Format = ImageFormat.Oci,
                WorkingDirectory = "/app",
                User = "app",
                StopSignal = "SIGTERM",
                Healthcheck = new Healthcheck
                {
                    Test = ["CMD"],
                    Interval = 1,
                    Timeout = 2,
                    StartPeriod = 3,
                    StartInterval = 4,
                    Retries = 5,
                },
                Probe = new HttpProbe("/app/probe", "/health", 80, 30),
                Entrypoint = ["dotnet"],
                Command = ["run"],
                EnvironmentVariables = [KeyValuePair.Create("NAME", "value")],
                Labels = [KeyValuePair.Create("label", "value")],
                Annotations = [KeyValuePair.Create("annotation", "value")],
                Ports = [new ExposedPort(80)],
                Volumes = ["/data"],
            },
            Project = Filled(new ProjectInfo { Omitted = ["created"] }),
            Base = new RegistryImage(Reference.Parse("example.test/base:1")),
            Signing = Signed(),
            BaseTrust = Trusting('a'),
            Sbom = new SbomRequest(SbomFormat.Spdx, "/app.spdx.json")
            {
                App = Filled(new AppFacts("App")),
                Sources = [new SourceFile("App.dll") { Package = new NuGetPackage("App", "1.0.0"), Project = "Lib" }],
                Graph = new PackageGraphFile("/project.assets.json", "net10.0", "linux-x64"),
                PackageFolders = ["/packages"],
            },
            Policy = new PolicyRequest
            {
                MaxSize = 1,
                MaxGrowth = new GrowthLimit(1, 2),
                AllowedBases = ["example.test/*"],
                RequiredLabels = ["label"],
                AllowedFiles = ["*.pfx"],
                Audit = new RestoreAudit("/obj/project.assets.json", "net10.0", ArePackagesKnown: true),
            },
            PublishFolder = "/publish",
            Items = [new PublishItem("App.dll", PublishItemOrigin.Package) { Package = "App" }],
            EntryDefaults = new LayerEntryDefaults(),
            FileOwner = new FileOwner("app", "app"),
            Added =
            [
                new AddedEntry(new ItemSource("ImageFile", "a", null), LayerEntryKind.File, "etc/a")
                {
                    Mode = UnixFileMode.UserRead,
                    Owner = new FileOwner("0", "0"),
                    Layer = "own",
                    SourceFile = "/a",
                    BuiltIn = "b",
                    LinkTarget = "b",
                },
            ],
            OtherImages = new OtherImages(
                [
                    new FilesOfImage(
                        new ItemSource("ImageFile", "/a", null),
                        new RegistryImage(Reference.Parse("example.test/tools:1")),
                        "usr/bin/a"
                    )
                    {
                        Target = "usr/bin/b",
                        Mode = UnixFileMode.UserRead,
                        Owner = new FileOwner("0", "0"),
                        Layer = "own",
                        Trust = Trusting('a'),
                    },
                ],
                [
                    new LayersOfImage(
                        new ItemSource("ImageLayerFrom", "example.test/agent:1", null),
                        new RegistryImage(Reference.Parse("example.test/agent:1"))
                    )
                    {
                        Trust = Trusting('a'),
                    },
                ]
            ),
            Compression = new LayerCompression(Compression.Gzip, null),
            Destinations = [Repository.Create(Registry.Parse("example.test"), "app")],
            LocalName = "app",
            Tags = [Tag.Parse("1.0")],
            ContentTags = [ContentTag.Parse("{content}")],
            HeldTags = [Tag.Parse("1.0")],
            CacheFrom = [Reference.Parse("example.test/app:cache")],
            CacheTrust = new CacheTrust { Key = Key('a'), Repositories = [Repository.Create(Registry.Parse("example.test"), "app")] },
            Attestations = new AttestationRequest(AttestationPlacement.Referrers)
            {
                Signing = Signed(),
                Provenance = new BuildFacts
                {
                    Tool = new BuildTool("1.0") { Sdk = "10.0.100", MSBuild = "18.0" },
                    BuilderId = "https://example.test/runner",
                    Project = "App.csproj",
                    Parameters = [KeyValuePair.Create("Configuration", "Release")],
                    Source = new SourceCommit("https://example.test/app", "refs/heads/main", "1234"),
                    AssetsFile = "/obj/project.assets.json",
                    AssetsTargets = ["net10.0"],
                },
            },
        };

    private static CacheSecret Key(char letter) =>
        CacheSecret.TryCreate(new string(letter, CacheSecret.MinLength), out var key) ? key : throw new InvalidOperationException();

    private static TrustPolicy Trusting(char letter) => new([new CertificateRule("any.crt", new TrustAnchors([], new string(letter, 64)))]);

    private static T Filled<T>(T value)
        where T : class
    {
        foreach (var property in typeof(T).GetProperties().Where(property => property.PropertyType == typeof(string)))
            property.SetValue(value, property.Name);
        return value;
    }
}
