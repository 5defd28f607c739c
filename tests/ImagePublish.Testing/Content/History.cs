using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace ImagePublish.Testing;

/// <summary>
/// The versions of an app, as years of publishing leave them: a base that changes now and then, packages that change more often, and an app
/// that changes each time. Layers are only there for the newest versions; of the others a manifest says how large they are.
/// </summary>
public static class History
{
    private const int VersionsOfABase = 12;
    private const int VersionsOfPackages = 4;

    /// <summary>Seeds <c>1.0.0</c>, <c>1.0.1</c> and so on; the last is <c>latest</c>, too.</summary>
    /// <param name="real">Of how many versions, the newest, the layers are there.</param>
    /// <returns>The digests of all versions, the oldest first.</returns>
    public static IReadOnlyList<string> SeedHistory(this TestRegistry registry, string repository, int versions, int real = 0)
    {
        var digests = new List<string>();
        for (var number = 0; number < versions; number++)
        {
            var (ofBase, ofPackages) = (number / VersionsOfABase, number / VersionsOfPackages);
            var hasBase = real > 0 && ofBase >= (versions - real) / VersionsOfABase;
            var hasPackages = real > 0 && ofPackages >= (versions - real) / VersionsOfPackages;
            JsonObject[] layers =
            [
                registry.Layer(repository, hasBase, 4_100_000, ("usr/lib/libc.so", $"libc {ofBase}")),
                registry.Layer(repository, hasBase, 1_600_000 + (ofBase * 9_000L), ("usr/share/dotnet/System.dll", $"{ofBase}")),
                registry.Layer(repository, hasPackages, 900_000 + (ofPackages * 24_000L), ("app/Newtonsoft.Json.dll", $"{ofPackages}")),
                registry.Layer(repository, number >= versions - real, 61_000 + (number * 150L % 9_000), ("app/Shop.dll", $"{number}")),
            ];
            var version = string.Create(CultureInfo.InvariantCulture, $"1.{number / 10}.{number % 10}");
            digests.Add(registry.Put(repository, version, layers, Config(version, number, ofBase, layers)));
        }

        registry.Content.Tag(repository, "latest", digests[^1]);
        return digests;
    }

    /// <summary>Something that is no image: a Helm chart.</summary>
    public static string SeedChart(this TestRegistry registry, string repository, string tag)
    {
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["config"] = Blob("application/vnd.cncf.helm.config.v1+json", registry.Content.PutBlob(repository, "{}"u8), 2),
            ["layers"] = new JsonArray(
                Blob("application/vnd.cncf.helm.chart.content.v1.tar+gzip", registry.Content.PutBlob(repository, "chart"u8), 5)
            ),
        };
        return registry.Content.PutManifest(repository, tag, Encoding.UTF8.GetBytes(manifest.ToJsonString()), MediaTypes.OciManifest);
    }

    private static string Put(this TestRegistry registry, string repository, string tag, JsonObject[] layers, JsonObject config)
    {
        var bytes = Encoding.UTF8.GetBytes(config.ToJsonString());
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["config"] = Blob(MediaTypes.OciConfig, registry.Content.PutBlob(repository, bytes), bytes.Length),
            ["layers"] = new JsonArray([.. layers.Select(layer => layer.DeepClone())]),
        };
        return registry.Content.PutManifest(repository, tag, Encoding.UTF8.GetBytes(manifest.ToJsonString()), MediaTypes.OciManifest);
    }

    private static JsonObject Config(string version, int number, int ofBase, JsonObject[] layers)
    {
        var created = new DateTimeOffset(2024, 1, 8, 9, 0, 0, TimeSpan.Zero).AddHours((number * 31) + (number % 7 * 5));
        string[] names = ["RUN /bin/sh -c apt-get install libc6", "COPY /shared /usr/share/dotnet # buildkit", "packages", "app"];
        return new JsonObject
        {
            ["created"] = created.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
            ["architecture"] = "amd64",
            ["os"] = "linux",
            ["config"] = new JsonObject
            {
                ["User"] = "1654",
                ["Env"] = new JsonArray("PATH=/usr/local/bin:/usr/bin:/bin", $"DOTNET_VERSION=10.0.{ofBase}"),
                ["Entrypoint"] = new JsonArray("dotnet", "/app/Shop.dll"),
                ["ExposedPorts"] = new JsonObject { ["8080/tcp"] = new JsonObject() },
                ["Labels"] = new JsonObject
                {
                    ["org.opencontainers.image.version"] = version,
                    ["org.opencontainers.image.base.name"] = "mcr.microsoft.com/dotnet/aspnet:10.0",
                    ["org.opencontainers.image.base.digest"] = Digests.Sha256(Encoding.UTF8.GetBytes($"base {ofBase}")),
                },
            },
            ["rootfs"] = new JsonObject
            {
                ["type"] = "layers",
                ["diff_ids"] = new JsonArray([.. layers.Select(layer => (JsonNode)layer["annotations"]!["diff"]!.GetValue<string>())]),
            },
            ["history"] = new JsonArray([
                .. names.Select((name, at) => new JsonObject { ["created_by"] = at < 2 ? name : $"ImagePublish.Tasks: {name}" }),
            ]),
        };
    }

    private static JsonObject Layer(this TestRegistry registry, string repository, bool isReal, long size, (string Path, string Text) file)
    {
        var (path, text) = file;
        var digest = Digests.Sha256(Encoding.UTF8.GetBytes($"{path} {text}"));
        var (diff, length) = (digest, size);
        if (isReal)
        {
            var files = Enumerable
                .Range(0, 12)
                .Select(at => ($"{path}.d/{at}.txt", $"{path} {at}"))
                .Append((path, text + Noise(size)))
                .ToArray();
            var layer = Seeding.LayerOf(files);
            (digest, diff, length) = (registry.Content.PutBlob(repository, layer), Digests.Sha256(Seeding.TarOf(files)), layer.Length);
        }

        var blob = Blob(MediaTypes.OciLayerGzip, digest, length);
        blob["annotations"] = new JsonObject { ["diff"] = diff };
        return blob;
    }

    // Text that does not compress below the size: hexadecimal digits are half of their bytes.
    private static string Noise(long size)
    {
        var bytes = new byte[size * 9 / 10];
        new Random((int)size).NextBytes(bytes);
        return Convert.ToHexString(bytes);
    }

    private static JsonObject Blob(string mediaType, string digest, long size) =>
        new()
        {
            ["mediaType"] = mediaType,
            ["digest"] = digest,
            ["size"] = size,
        };
}
