using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace ImagePublish.Testing;

/// <summary>A base that got fixes, and an app for two platforms: two versions on the base as it was, and one on the base as it
/// is.</summary>
public static class MovedBase
{
    private const string Base = "dotnet/aspnet";

    private static readonly string[] Architectures = ["amd64", "arm64"];

    /// <summary>Seeds <c>1.0.0</c>, <c>1.1.0</c> and <c>1.2.0</c>, each an index. Only 1.2.0 is on what its base's name points
    /// at.</summary>
    public static void SeedVersionsOnMovedBase(this TestRegistry registry, string repository)
    {
        var (before, old) = registry.SeedBase("10.0.0", ("libssl3", "3.0.15-1"), ("libc6", "2.36-9"), ("tzdata", "2025b-0"));
        registry.SeedVersion(repository, 0, "10.0.0", before, old);
        registry.SeedVersion(repository, 1, "10.0.0", before, old);
        var (after, now) = registry.SeedBase("10.0.2", ("libssl3", "3.0.17-1"), ("libc6", "2.36-10"), ("tzdata", "2025b-0"));
        registry.SeedVersion(repository, 2, "10.0.2", after, now);
        registry.AttachEndOfLife(Base, now, "2028-11-14");
    }

    /// <summary>Attaches to an image until when it gets fixes, as Microsoft's registry does.</summary>
    public static void AttachEndOfLife(this TestRegistry registry, string repository, string subject, string date)
    {
        var empty = registry.Content.PutBlob(repository, "{}"u8);
        JsonObject Descriptor(string mediaType, string digest) =>
            new()
            {
                ["mediaType"] = mediaType,
                ["digest"] = digest,
                ["size"] = 2,
            };
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["artifactType"] = "application/vnd.microsoft.artifact.lifecycle",
            ["config"] = Descriptor("application/vnd.oci.empty.v1+json", empty),
            ["layers"] = new JsonArray(Descriptor("application/vnd.oci.empty.v1+json", empty)),
            ["subject"] = Descriptor(MediaTypes.OciIndex, subject),
            ["annotations"] = new JsonObject { ["vnd.microsoft.artifact.lifecycle.end-of-life.date"] = date },
        };
        registry.Content.PutManifest(repository, null, Encoding.UTF8.GetBytes(manifest.ToJsonString()), MediaTypes.OciManifest);
    }

    private static (Dictionary<string, byte[]> Layers, string Digest) SeedBase(
        this TestRegistry registry,
        string runtime,
        params (string Name, string Version)[] packages
    )
    {
        var status = string.Concat(
            packages.Select(one => $"Package: {one.Name}\nVersion: {one.Version}\nStatus: install ok installed\n\n")
        );
        var layers = Architectures.ToDictionary(
            one => one,
            one =>
                Seeding.LayerOf(("etc/os-release", "ID=debian\n"), ("var/lib/dpkg/status", status), ($"lib/{one}/libc.so.6", status + one))
        );
        var images = Architectures.Select(one =>
            (registry.SeedImage(Base, null, [layers[one]], ConfigOf(one, runtime)), Seeding.PlatformOf(one))
        );
        return (layers, registry.SeedIndex(Base, "10.0", [.. images]));
    }

    private static void SeedVersion(
        this TestRegistry registry,
        string repository,
        int minor,
        string runtime,
        Dictionary<string, byte[]> system,
        string digest
    )
    {
        var version = string.Create(CultureInfo.InvariantCulture, $"1.{minor}.0");
        var images = Architectures.Select(one =>
        {
            var config = ConfigOf(one, runtime);
            config["created"] = string.Create(CultureInfo.InvariantCulture, $"2026-0{minor + 1}-12T09:00:00Z");
            config["config"]!["Labels"] = new JsonObject
            {
                ["org.opencontainers.image.version"] = version,
                ["org.opencontainers.image.base.name"] = $"{registry.Host}/{Base}:10.0",
                ["org.opencontainers.image.base.digest"] = digest,
            };
            var app = Seeding.LayerOf(("app/Shop.dll", version), ("app/shop.json", "{}"), ($"app/native-{one}.so", $"{one} {version}"));
            return (registry.SeedImage(repository, null, [system[one], app], config), Seeding.PlatformOf(one));
        });
        registry.SeedIndex(repository, version, [.. images]);
    }

    private static JsonObject ConfigOf(string architecture, string runtime)
    {
        var config = Seeding.ConfigOf(architecture);
        config["config"]!["Env"]!.AsArray().Add($"DOTNET_VERSION={runtime}");
        return config;
    }
}
