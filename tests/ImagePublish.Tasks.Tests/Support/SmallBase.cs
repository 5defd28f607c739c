using System.Formats.Tar;
using System.Text;
using System.Text.Json.Nodes;

namespace ImagePublish.Tasks.Tests.Support;

/// <summary>
/// A base image of a megabyte whose config says something in every field, and whose files have links, accounts, and folders with unusual
/// attributes:
/// for tests of what is inherited. It has a shell (busybox) and no .NET.
/// </summary>
public static class SmallBase
{
    public const int UserId = 1654;

    public const int StaffId = 50;

    private static readonly string[] Programs = ["sh", "ls", "cat", "mkdir", "ln", "chmod", "chown", "stat", "find", "readlink", "true"];

    /// <summary>The config's part that <c>docker run</c> reads.</summary>
    public static JsonObject Config =>
        new()
        {
            ["User"] = "app",
            ["Env"] = new JsonArray(
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "APP_UID=1654",
                "ASPNETCORE_HTTP_PORTS=8080",
                "INHERITED=base",
                "SECOND=of the base"
            ),
            ["Entrypoint"] = new JsonArray("/usr/bin/base-entry", "--of-the-base"),
            ["Cmd"] = new JsonArray("base-command"),
            ["ExposedPorts"] = new JsonObject { ["6000/tcp"] = new JsonObject() },
            ["Volumes"] = new JsonObject { ["/base-volume"] = new JsonObject() },
            ["WorkingDir"] = "/base-folder",
            ["Labels"] = new JsonObject { ["com.example.base"] = "kept", ["com.example.second"] = "of the base" },
            ["StopSignal"] = "SIGUSR1",
            ["Healthcheck"] = new JsonObject
            {
                ["Test"] = new JsonArray("CMD-SHELL", "test -e /etc/passwd"),
                ["Interval"] = 7_000_000_000,
                ["Retries"] = 2,
            },
            ["Shell"] = new JsonArray("/bin/sh", "-e", "-c"),
        };

    /// <summary>Puts it into a registry, for amd64 and arm64 (whose programs are those of this machine).</summary>
    /// <returns>Its reference.</returns>
    public static Task<string> PushToAsync(DockerRegistry registry, string name, CancellationToken cancellationToken) =>
        PushToAsync(registry, name, Config, cancellationToken);

    /// <summary>Puts it into a registry with another config.</summary>
    /// <returns>Its reference.</returns>
    public static async Task<string> PushToAsync(
        DockerRegistry registry,
        string name,
        JsonObject containerConfig,
        CancellationToken cancellationToken
    )
    {
        using var folder = new TemporaryFolder();
        var writer = new LayoutWriter(folder["layout"]);
        var layer = await writer.AddLayerAsync(tar => WriteFilesAsync(tar, cancellationToken), cancellationToken);
        JsonObject[] platforms =
        [
            new() { ["architecture"] = "amd64", ["os"] = "linux" },
            new()
            {
                ["architecture"] = "arm64",
                ["os"] = "linux",
                ["variant"] = "v8",
            },
        ];
        var index = writer.AddIndex(platforms.Select(platform => AddImage(writer, layer, platform, containerConfig)));
        return await writer.PushAsync(index, registry, name, cancellationToken);
    }

    private static JsonObject AddImage(LayoutWriter writer, LayoutLayer layer, JsonObject platform, JsonObject containerConfig)
    {
        var config = platform.DeepClone().AsObject();
        config["created"] = "2026-01-01T00:00:00Z";
        config["config"] = containerConfig.DeepClone();
        config["history"] = new JsonArray(new JsonObject { ["created"] = "2026-01-01T00:00:00Z", ["created_by"] = "tests" });
        var manifest = writer.AddImage(config, layer);
        manifest["platform"] = platform;
        return manifest;
    }

    private static async Task WriteFilesAsync(TarWriter tar, CancellationToken cancellationToken)
    {
        await WriteFoldersAsync(tar, cancellationToken);
        await using (var busybox = File.OpenRead("/bin/busybox"))
            await tar.WriteEntryAsync(Entry(TarEntryType.RegularFile, "usr/bin/busybox", "755", busybox), cancellationToken);
        foreach (var program in Programs)
            await tar.WriteEntryAsync(Link($"usr/bin/{program}", "busybox"), cancellationToken);
        await tar.WriteEntryAsync(Link("bin", "usr/bin"), cancellationToken);
        await tar.WriteEntryAsync(Link("lib", "usr/lib"), cancellationToken);
        await tar.WriteEntryAsync(Link("data", "/srv/shared/"), cancellationToken);
        await tar.WriteEntryAsync(Link("etc/zone", "/usr/lib/zone"), cancellationToken);
        await WriteTextAsync(tar, "usr/lib/zone", "UTC\n", cancellationToken);
        await WriteTextAsync(
            tar,
            "etc/passwd",
            $"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/sh\napp:x:{UserId}:{UserId}::/home/app:/bin/sh\n",
            cancellationToken
        );
        await WriteTextAsync(tar, "etc/group", $"root:x:0:\nstaff:x:{StaffId}:\nnogroup:x:65534:\napp:x:{UserId}:\n", cancellationToken);
    }

    private static async Task WriteFoldersAsync(TarWriter tar, CancellationToken cancellationToken)
    {
        foreach (
            var (name, mode, uid, gid) in new[]
            {
                ("usr/", "755", 0, 0),
                ("usr/bin/", "755", 0, 0),
                ("usr/lib/", "755", 0, 0),
                ("etc/", "755", 0, 0),
                ("tmp/", "1777", 0, 0),
                ("home/", "755", 0, 0),
                ("home/app/", "750", UserId, UserId),
                ("srv/", "755", 0, 0),
                ("srv/shared/", "2775", UserId, StaffId),
                ("base-folder/", "711", 7, 8),
            }
        )
        {
            var folder = Entry(TarEntryType.Directory, name, mode);
            (folder.Uid, folder.Gid) = (uid, gid);
            await tar.WriteEntryAsync(folder, cancellationToken);
        }
    }

    private static async Task WriteTextAsync(TarWriter tar, string name, string text, CancellationToken cancellationToken)
    {
        using var content = new MemoryStream(Encoding.UTF8.GetBytes(text));
        await tar.WriteEntryAsync(Entry(TarEntryType.RegularFile, name, "644", content), cancellationToken);
    }

    private static GnuTarEntry Link(string name, string target)
    {
        var link = Entry(TarEntryType.SymbolicLink, name, "777");
        link.LinkName = target;
        return link;
    }

    private static GnuTarEntry Entry(TarEntryType type, string name, string mode, Stream? content = null)
    {
        var entry = new GnuTarEntry(type, name)
        {
            Mode = (UnixFileMode)Convert.ToInt32(mode, 8),
            ModificationTime = DateTimeOffset.UnixEpoch,
            AccessTime = DateTimeOffset.UnixEpoch,
            ChangeTime = DateTimeOffset.UnixEpoch,
        };
        if (content is not null)
            entry.DataStream = content;
        return entry;
    }
}
