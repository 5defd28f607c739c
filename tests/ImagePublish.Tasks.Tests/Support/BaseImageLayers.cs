using System.Formats.Tar;
using System.Text;

namespace ImagePublish.Tasks.Tests.Support;

/// <summary>The layers of the base image: an operating system from Debian packages, a user, the .NET runtime, ASP.NET.</summary>
public sealed class BaseImageLayers(LayoutWriter layout, DotNetInstallation dotnet)
{
    public const int UserId = 1654;

    private const UnixFileMode FileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private const UnixFileMode ExecutableMode = FileMode | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    // What .NET needs of the system; names that differ between Debian's and Ubuntu's releases as patterns.
    private static readonly string[] Packages =
    [
        "ca-certificates,libstdc++6,tzdata,zlib1g",
        "?name(^libicu[0-9]+$)",
        "?name(^libssl3[t64]*$)",
    ];

    private static readonly string[] Unneeded = ["doc", "info", "locale", "man"];

    public static string Recipe => string.Join(' ', [.. Packages, .. Unneeded]);

    /// <summary>The system, made from the machine's own package sources.</summary>
    public async Task<LayoutLayer> OperatingSystemAsync(string workFolder, CancellationToken cancellationToken)
    {
        var release = OperatingSystemRelease.Read();
        var tar = Path.Combine(workFolder, "system.tar");
        var command = new CommandLine(
            "mmdebstrap",
            [
                "--variant=essential",
                "--skip=output/dev",
                .. Packages.Select(package => $"--include={package}"),
                .. Unneeded.Select(kind => $"--dpkgopt=path-exclude=/usr/share/{kind}/*"),
                release.Codename,
                tar,
                .. release.PackageSources(),
            ]
        )
        {
            Environment = new Dictionary<string, string?> { ["SOURCE_DATE_EPOCH"] = "0", ["LC_ALL"] = "C.UTF-8" },
        };
        await command.SucceedAsync(cancellationToken);
        return await layout.AddLayerAsync(tar, cancellationToken);
    }

    /// <summary>The user <c>app</c>, with the files of the accounts as useradd leaves them.</summary>
    public Task<LayoutLayer> UserAsync(CancellationToken cancellationToken) =>
        layout.AddLayerAsync(
            async tar =>
            {
                await WriteTextAsync(tar, "etc/group", $"root:x:0:\ndaemon:x:1:\nstaff:x:50:\nnogroup:x:65534:\napp:x:{UserId}:\n");
                await WriteTextAsync(
                    tar,
                    "etc/passwd",
                    "root:x:0:0:root:/root:/bin/bash\n"
                        + "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
                        + "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
                        + $"app:x:{UserId}:{UserId}::/home/app:/bin/sh\n"
                );
                await tar.WriteEntryAsync(Directory("home/app/", UserId), cancellationToken);
            },
            cancellationToken
        );

    public Task<LayoutLayer> RuntimeAsync(CancellationToken cancellationToken) =>
        layout.AddLayerAsync(
            async tar =>
            {
                await tar.WriteEntryAsync(
                    Dated(
                        new GnuTarEntry(TarEntryType.SymbolicLink, "usr/bin/dotnet")
                        {
                            LinkName = "/usr/share/dotnet/dotnet",
                            Mode = (UnixFileMode)0x1FF,
                        }
                    ),
                    cancellationToken
                );
                await tar.WriteEntryAsync(Directory("usr/share/dotnet/"), cancellationToken);
                await WriteFileAsync(tar, "dotnet", ExecutableMode);
                await WriteFolderAsync(tar, "host");
                await tar.WriteEntryAsync(Directory("usr/share/dotnet/shared/"), cancellationToken);
                await WriteFolderAsync(tar, $"shared/Microsoft.NETCore.App/{dotnet.RuntimeVersion}", parents: 1);
            },
            cancellationToken
        );

    public Task<LayoutLayer> AspNetAsync(CancellationToken cancellationToken) =>
        layout.AddLayerAsync(
            tar => WriteFolderAsync(tar, $"shared/Microsoft.AspNetCore.App/{dotnet.AspNetVersion}", parents: 1),
            cancellationToken
        );

    private async Task WriteFolderAsync(TarWriter tar, string name, int parents = 0)
    {
        if (parents > 0)
            await tar.WriteEntryAsync(Directory($"usr/share/dotnet/{Path.GetDirectoryName(name)}/"));
        await tar.WriteEntryAsync(Directory($"usr/share/dotnet/{name}/"));
        var folder = new DirectoryInfo(Path.Combine(dotnet.Folder, name));
        foreach (
            var item in folder
                .EnumerateFileSystemInfos("*", SearchOption.AllDirectories)
                .OrderBy(item => item.FullName, StringComparer.Ordinal)
        )
        {
            var inside = Path.GetRelativePath(dotnet.Folder, item.FullName);
            if (item is DirectoryInfo)
                await tar.WriteEntryAsync(Directory($"usr/share/dotnet/{inside}/"));
            else
                await WriteFileAsync(tar, inside, FileMode);
        }
    }

    private async Task WriteFileAsync(TarWriter tar, string name, UnixFileMode mode)
    {
        await using var content = File.OpenRead(Path.Combine(dotnet.Folder, name));
        await tar.WriteEntryAsync(
            Dated(new GnuTarEntry(TarEntryType.RegularFile, $"usr/share/dotnet/{name}") { Mode = mode, DataStream = content })
        );
    }

    private static async Task WriteTextAsync(TarWriter tar, string name, string text)
    {
        using var content = new MemoryStream(Encoding.UTF8.GetBytes(text));
        await tar.WriteEntryAsync(Dated(new GnuTarEntry(TarEntryType.RegularFile, name) { Mode = FileMode, DataStream = content }));
    }

    private static GnuTarEntry Directory(string name, int owner = 0) =>
        Dated(
            new GnuTarEntry(TarEntryType.Directory, name)
            {
                Mode = ExecutableMode,
                Uid = owner,
                Gid = owner,
            }
        );

    private static GnuTarEntry Dated(GnuTarEntry entry)
    {
        entry.ModificationTime = DateTimeOffset.UnixEpoch;
        entry.AccessTime = DateTimeOffset.UnixEpoch;
        entry.ChangeTime = DateTimeOffset.UnixEpoch;
        return entry;
    }
}
