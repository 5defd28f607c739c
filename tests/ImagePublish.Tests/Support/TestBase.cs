using System.Text.Json.Nodes;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Support;

/// <summary>A small image in the likeness of Microsoft's: an operating system and .NET, each a layer, for two platforms.</summary>
internal sealed record TestBase(string System, string Release)
{
    public static TestBase Debian { get; } =
        new("debian", "12")
        {
            Libraries =
            [
                "usr/lib/x86_64-linux-gnu/libc.so.6",
                "usr/lib/x86_64-linux-gnu/libicuuc.so.72",
                "usr/lib/x86_64-linux-gnu/libssl.so.3",
            ],
        };

    public static TestBase Alpine { get; } =
        new("alpine", "3.22.1") { Libraries = ["lib/ld-musl-x86_64.so.1", "usr/lib/libicuuc.so.76", "usr/lib/libssl.so.3"] };

    // Without a shell, without passwords, started as a user without rights.
    public static TestBase Chiselled { get; } =
        new("ubuntu", "24.04")
        {
            Libraries = ["usr/lib/x86_64-linux-gnu/libc.so.6", "usr/lib/x86_64-linux-gnu/libssl.so.3"],
            User = "1654",
            Extra = ["d 755 0:0 var/lib/chisel", "f 644 0:0 var/lib/chisel/manifest.wall x"],
        };

    public IReadOnlyList<string> Libraries { get; init; } = [];

    public IReadOnlyList<string> Extra { get; init; } = [];

    public string? User { get; init; }

    public string? Runtime { get; init; } = "10.0.1";

    public string Accounts { get; init; } = "root:x:0:0:root:/root:/bin/sh\napp:x:1654:1654::/home/app:/bin/sh";

    public bool IsDocker { get; init; }

    public string[] Architectures { get; init; } = ["amd64", "arm64"];

    /// <summary>The config's part that <c>docker run</c> reads, with a field of every kind.</summary>
    public JsonObject Config { get; init; } =
        new()
        {
            ["Env"] = new JsonArray("PATH=/usr/bin:/bin", "APP_UID=1654", "ASPNETCORE_HTTP_PORTS=8080"),
            ["Labels"] = new JsonObject { ["com.example.base"] = "one", ["com.example.kept"] = "kept" },
            ["ExposedPorts"] = new JsonObject { ["6000/tcp"] = new JsonObject() },
            ["StopSignal"] = "SIGTERM",
            ["Healthcheck"] = new JsonObject { ["Test"] = new JsonArray("CMD", "/bin/true"), ["Interval"] = 7_000_000_000 },
        };

    /// <summary>The next month's: fixes in both layers, and something changed in every field that images inherit.</summary>
    public TestBase Fixed() =>
        this with
        {
            Runtime = Runtime?.Replace("10.0.1", "10.0.2", StringComparison.Ordinal),
            Extra = [.. Extra, "f 644 0:0 etc/fixed yes"],
            Config = new JsonObject
            {
                ["Env"] = new JsonArray("PATH=/usr/local/bin:/usr/bin:/bin", "APP_UID=1655", "ASPNETCORE_HTTP_PORTS=8081", "FIXED=yes"),
                ["Labels"] = new JsonObject { ["com.example.base"] = "two", ["com.example.new"] = "new" },
                ["ExposedPorts"] = new JsonObject { ["6001/tcp"] = new JsonObject() },
                ["Volumes"] = new JsonObject { ["/of-the-base"] = new JsonObject() },
                ["StopSignal"] = "SIGINT",
                ["Healthcheck"] = new JsonObject { ["Test"] = new JsonArray("CMD", "/bin/false"), ["Retries"] = 9 },
                ["Shell"] = new JsonArray("/bin/sh", "-e", "-c"),
            },
        };

    /// <summary>Puts it into a registry: an index, or the image itself where it is for one platform.</summary>
    public string SeedTo(TestRegistry registry, string repository = "dotnet/aspnet", string tag = "10.0")
    {
        var images = Architectures.Select(one => (registry.SeedImage(repository, null, Layers(), ConfigFor(one), IsDocker), one)).ToList();
        if (images is [var (only, _)])
        {
            registry.Content.Tag(repository, tag, only.Digest);
            return only.Digest;
        }

        return registry.SeedIndex(repository, tag, [.. images.Select(image => (image.Item1, Seeding.PlatformOf(image.one)))]);
    }

    private byte[][] Layers()
    {
        var system = TreeLayer.Create([
            "d 755 0:0 etc",
            "d 755 0:0 srv",
            $"f 644 0:0 etc/os-release ID={System}\nVERSION_ID=\"{Release}\"",
            $"f 644 0:0 etc/passwd {Accounts}",
            .. Libraries.Select(path => $"f 755 0:0 {path} library"),
            .. Extra,
        ]);
        var runtime = $"usr/share/dotnet/shared/Microsoft.NETCore.App/{Runtime}";
        return Runtime is null
            ? [system]
            : [system, TreeLayer.Create($"d 755 0:0 {runtime}", $"f 644 0:0 {runtime}/libcoreclr.so {Runtime}")];
    }

    private JsonObject ConfigFor(string architecture)
    {
        var config = Config.DeepClone().AsObject();
        if (User is not null)
            config[nameof(User)] = User;
        var layers = Layers().Length;
        return new JsonObject
        {
            ["architecture"] = architecture,
            ["os"] = "linux",
            ["created"] = $"2026-01-0{(Runtime == "10.0.2" ? 2 : 1)}T00:00:00Z",
            ["config"] = config,
            ["history"] = new JsonArray([
                .. Enumerable.Range(0, layers).Select(at => (JsonNode)new JsonObject { ["created_by"] = $"layer {at} of {Runtime}" }),
                new JsonObject { ["created_by"] = "ENV FIXED", ["empty_layer"] = true },
            ]),
        };
    }
}
