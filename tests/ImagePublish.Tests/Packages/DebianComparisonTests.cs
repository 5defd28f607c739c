using System.Diagnostics;
using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Packages;
using ImagePublish.Packages.Layout;
using ImagePublish.Packages.Model;

namespace ImagePublish.Tests.Packages;

/// <summary>
/// The same packages, and the same files of them, as mmdebstrap and apt-get choose and unpack from the same sources. One run of mmdebstrap
/// serves all.
/// </summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class DebianComparisonTests : IDisposable
{
    private const UnixFileMode Rights = (UnixFileMode)0x1FF | UnixFileMode.StickyBit;
    private const string Unpacked = "tzdata ca-certificates libfontconfig1 fonts-dejavu-core curl login";

    private static readonly string[] Lists =
    [
        Unpacked,
        "tzdata ca-certificates",
        "libfontconfig1 fonts-dejavu-core",
        "libgdiplus",
        "libssl3 libgssapi-krb5-2",
        "postgresql-client",
        "imagemagick",
        "unixodbc",
        "git",
        "ffmpeg",
    ];

    // mmdebstrap's own: sources, caches, the machine's names, what dpkg keeps.
    private static readonly string[] Foreign =
    [
        "etc/apt/sources.list.d",
        "etc/hostname",
        "etc/resolv.conf",
        "etc/fstab",
        "etc/dpkg",
        "etc/apt/preferences.d",
        "etc/apt/apt.conf.d",
        "var/cache/apt",
        "var/lib/apt",
        "var/lib/dpkg",
        "var/log",
        "tmp",
        "dev",
    ];

    // What scripts make, and what a root file system has, by rule: docs/packages.md.
    private static readonly string[] Own =
    [
        "etc/ssl/certs",
        "var/lib/dpkg",
        "etc/passwd",
        "etc/group",
        "etc/nsswitch.conf",
        "etc/os-release",
        "home",
        "root",
        "tmp",
        "dev",
        "proc",
        "run",
        "sys",
        "var",
        "bin",
        "sbin",
        "lib",
        "lib32",
        "lib64",
        "libx32",
    ];

    private readonly string folder = Directory.CreateTempSubdirectory("image-debian-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task TenListsGiveTheSamePackagesAndTheSameFilesAsDebiansOwnTools()
    {
        await RunDebianAsync();
        var log = new TestLog();
        var maker = new OsPackages(LocalRepository.Network, log);
        for (var number = 0; number < Lists.Length; number++)
        {
            var chosen = await maker.ChooseAsync(Request(Lists[number]), Platform, packageBase: null, mustRefresh: false, Cancel);
            var expected = await File.ReadAllLinesAsync(Path.Combine(folder, $"{number}.set"), Cancel);
            Assert.NotEmpty(expected);
            Assert.Equal(
                expected,
                chosen
                    .Select(package => package.ToString())
                    .Where(package => !package.StartsWith("base-files ", StringComparison.Ordinal))
                    .Order(StringComparer.Ordinal)
            );
        }

        var request = Request(Unpacked);
        var packages = await maker.ChooseAsync(request, Platform, packageBase: null, mustRefresh: false, Cancel);
        var layer = await maker.LayOutAsync(packages, request, Platform, packageBase: null, Cancel);
        var root = await maker.LayOutAsync(
            [.. packages.Where(package => package.Name == "base-files")],
            request,
            Platform,
            packageBase: null,
            Cancel
        );
        Compare(
            await ReadDebianAsync(),
            layer.Entries.ToDictionary(entry => entry.Path, Describe),
            root.Entries.Select(entry => entry.Path).ToHashSet()
        );
    }

    [Fact]
    public async Task PackagesForAnotherProcessorAreThatProcessors()
    {
        var platform = new Platform("linux", Platform.Architecture == "arm64" ? "amd64" : "arm64");
        var request = Request("libgcc-s1");
        var maker = new OsPackages(LocalRepository.Network, new TestLog());

        var packages = await maker.ChooseAsync(request, platform, packageBase: null, mustRefresh: false, Cancel);
        var layer = await maker.LayOutAsync(packages, request, platform, packageBase: null, Cancel);

        Assert.All(packages, package => Assert.Contains(package.Architecture, new[] { platform.Architecture, "all" }));
        var library = layer.Entries.Single(entry => entry.Path.EndsWith("-linux-gnu/libgcc_s.so.1", StringComparison.Ordinal));
        await using var content = library.Content!.Open();
        var header = new byte[20];
        await content.ReadExactlyAsync(header, Cancel);
        Assert.Equal(platform.Architecture == "arm64" ? 183 : 62, BitConverter.ToUInt16(header, 18));
    }

    private static Platform Platform =>
        new(
            "linux",
            System.Runtime.InteropServices.RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.Arm64
                ? "arm64"
                : "amd64"
        );

    private static void Compare(Dictionary<string, string> theirs, Dictionary<string, string> ours, HashSet<string> root)
    {
        var missing = theirs
            .Where(file => !IsIn(file.Key, Foreign) && PackagePaths.IsKept(file.Key) && !Own.Contains(file.Key))
            .Where(file => ours.GetValueOrDefault(file.Key) != file.Value && !root.Contains(file.Key))
            .Select(file => $"{file.Key}: {file.Value}, here {ours.GetValueOrDefault(file.Key)}");
        var extra = ours.Where(file => !theirs.ContainsKey(file.Key) && !root.Contains(file.Key) && !IsIn(file.Key, Own))
            .Select(file => $"{file.Key}: {file.Value}, only here");

        Assert.Empty(missing.Concat(extra));
        Assert.InRange(theirs.Keys.Count(ours.ContainsKey), 1000, 100_000);
        // The set-user-id bit is one of the documented differences.
        Assert.Equal(UnixFileMode.None, (UnixFileMode)Convert.ToInt32(ours["usr/bin/newgrp"].Split(' ')[1], 8) & UnixFileMode.SetUser);
    }

    private static bool IsIn(string path, string[] folders) =>
        Array.Exists(folders, one => path == one || path.StartsWith(one + "/", StringComparison.Ordinal));

    // The machine's sources, without those of other vendors where they lie in files of their own.
    private PackageRequest Request(string list) =>
        new()
        {
            Names = list.Split(' '),
            CacheFolder = Path.Combine(folder, "cache"),
            Time = TimeProvider.System,
            Source = Sources().ToList() is [var only] ? only : null,
        };

    private static string Codename =>
        Regex.Match(File.ReadAllText("/etc/os-release"), "^VERSION_CODENAME=(.*)$", RegexOptions.Multiline).Groups[1].Value;

    private static IEnumerable<string> Sources()
    {
        var suite = new Regex($@"^[^#\n]*(?<![\w-]){Codename}(?![\w-])", RegexOptions.Multiline);
        string[] files = ["/etc/apt/sources.list", .. Directory.EnumerateFiles("/etc/apt/sources.list.d").Order(StringComparer.Ordinal)];
        return files.Where(file => File.Exists(file) && suite.IsMatch(File.ReadAllText(file)));
    }

    private static string Describe(LayerEntry entry)
    {
        if (entry.Kind == LayerEntryKind.SymbolicLink)
            return $"link {entry.LinkTarget} {entry.Uid}:{entry.Gid}";
        if (entry.Kind == LayerEntryKind.Directory)
            return $"folder {Octal(entry.Mode)} {entry.Uid}:{entry.Gid}";
        using var content = entry.Content!.Open();
        return $"file {Octal(entry.Mode)} {entry.Uid}:{entry.Gid} {Convert.ToHexStringLower(SHA256.HashData(content))}";
    }

    private async Task<Dictionary<string, string>> ReadDebianAsync()
    {
        var files = new Dictionary<string, string>();
        await using var file = File.OpenRead(Path.Combine(folder, "debian.tar"));
        await using var tar = new TarReader(file);
        while (await tar.GetNextEntryAsync(cancellationToken: Cancel) is { } entry)
        {
            var path = entry.Name.TrimEnd('/') is var name && name.StartsWith("./", StringComparison.Ordinal) ? name[2..] : "";
            if (path.Length == 0 || entry.EntryType is TarEntryType.CharacterDevice)
                continue;
            path = PackagePaths.Map(path) ?? path;
            var owner = $"{entry.Uid}:{entry.Gid}";
            files[path] = entry.EntryType switch
            {
                TarEntryType.Directory => $"folder {Octal(entry.Mode)} {owner}",
                TarEntryType.SymbolicLink => $"link {entry.LinkName} {owner}",
                TarEntryType.HardLink => files[PackagePaths.Map(entry.LinkName[2..])!],
                _ =>
                    $"file {Octal(entry.Mode)} {owner} {Convert.ToHexStringLower(await SHA256.HashDataAsync(entry.DataStream ?? Stream.Null, Cancel))}",
            };
        }

        return files;
    }

    // As documented, set-user-id and set-group-id bits are dropped.
    private static string Octal(UnixFileMode mode) => Convert.ToString((int)(mode & Rights), 8);

    // A hook asks mmdebstrap's own apt what it would install for each list, with the indexes that it has just fetched.
    private async Task RunDebianAsync()
    {
        var hook = Path.Combine(folder, "hook");
        var lines = Lists.Select(
            (list, number) =>
                $"APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get install --simulate -qq "
                + $"--no-install-recommends {list} | sed -n 's/^Inst \\([^ ]*\\) (\\([^ ]*\\) .*/\\1 \\2/p' | LC_ALL=C sort > '{folder}/{number}.set'"
        );
        await File.WriteAllTextAsync(hook, $"#!/bin/sh\nset -e\n{string.Join('\n', lines)}\n", Cancel);
        File.SetUnixFileMode(hook, (UnixFileMode)0x1ED);
        File.SetUnixFileMode(folder, (UnixFileMode)0x1FF);
        using var process = Process.Start(
            new ProcessStartInfo(
                "mmdebstrap",
                [
                    "--variant=extract",
                    "--quiet",
                    "--skip=output/dev",
                    $"--include={Unpacked.Replace(' ', ',')}",
                    $"--extract-hook={hook}",
                    Codename,
                    Path.Combine(folder, "debian.tar"),
                    .. Sources(),
                ]
            )
            {
                RedirectStandardError = true,
            }
        )!;
        var errors = await process.StandardError.ReadToEndAsync(Cancel);
        await process.WaitForExitAsync(Cancel);
        Assert.True(process.ExitCode == 0, errors);
    }
}
