using System.Diagnostics;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using static ImagePublish.Tests.Layers.LayerTesting;

namespace ImagePublish.Tests.Layers;

public sealed class PublishFolderTests
{
    /// <summary>Changes only with the format of layers, and then for everybody.</summary>
    private const string GoldenDiffId = "sha256:f94de7c8068bbca426ed6d46bfc57ae662307617614b2be7b297fdf9dd34de5e";

    private static LayerEntryDefaults ByContent => new() { Executables = ExecutableRule.Content };

    [Fact]
    public async Task AFixedFolderHasTheGoldenDiffId()
    {
        using var folder = Sample();

        Assert.Equal(GoldenDiffId, (await LayerTar.DiffIdAsync(Content(folder, ByContent), Token)).Value);
    }

    [Fact]
    public async Task OrderOfCreationTimesAndPlaceOfTheFolderDoNotMatter()
    {
        using var folder = new TempFolder();
        foreach (var (name, text) in SampleFiles.Reverse())
            Directory.SetLastWriteTimeUtc(
                Path.GetDirectoryName(folder.File(name, text))!,
                new DateTime(2030, 1, 1, 0, 0, 0, DateTimeKind.Utc)
            );
        foreach (var (name, _) in SampleFiles)
            File.SetLastWriteTimeUtc(folder.At(name), new DateTime(1999, 5, 5, 5, 5, 5, DateTimeKind.Utc));
        Directory.CreateDirectory(folder.At("nothing"));

        Assert.Equal(GoldenDiffId, (await LayerTar.DiffIdAsync(Content(folder, ByContent), Token)).Value);
    }

    [Fact]
    public void EntriesAreInOrdinalOrderWithParentsFirst()
    {
        using var folder = new TempFolder();
        folder.File("a/b", "");
        folder.File("a-b", "");
        folder.File("B", "");
        folder.File("ä", "");

        Assert.Equal(["app", "app/B", "app/a", "app/a-b", "app/a/b", "app/ä"], Read(folder).Select(entry => entry.Path));
    }

    [Fact]
    public void NothingOfTheMachineGetsInButTheExecuteBit()
    {
        using var folder = new TempFolder();
        SetMode(folder.File("private", "x"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        SetMode(
            folder.File("tool", "x"),
            UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.SetUser | UnixFileMode.SetGroup | UnixFileMode.StickyBit
        );
        SetMode(folder.File("wide", "x"), UnixFileMode.UserRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute);

        var entries = Read(folder, new LayerEntryDefaults { Executables = ExecutableRule.ContentOrFileMode });

        var modes = entries.ToDictionary(entry => entry.Path, entry => Convert.ToString((int)entry.Mode, 8));
        Assert.Equal("755", modes["app"]);
        Assert.Equal("644", modes["app/private"]);
        Assert.Equal(OperatingSystem.IsWindows() ? "644" : "755", modes["app/tool"]);
        Assert.Equal(OperatingSystem.IsWindows() ? "644" : "755", modes["app/wide"]);
        Assert.All(entries, entry => Assert.Equal((0, 0, LayerEntryDefaults.DefaultModified), (entry.Uid, entry.Gid, entry.Modified)));
    }

    [Fact]
    public void AnAssemblyIsNotExecutableWhateverNuGetGaveIt()
    {
        using var folder = new TempFolder();
        SetMode(
            folder.File("Package.dll", "MZ…"),
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead
        );

        var assembly = Read(folder, new LayerEntryDefaults { Executables = ExecutableRule.ContentOrFileMode })
            .Single(entry => entry.Path == "app/Package.dll");

        Assert.Equal("644", Convert.ToString((int)assembly.Mode, 8));
    }

    [Fact]
    [ReliabilityCase(
        "Files",
        "the same publish folder on Windows, and on Linux where NuGet gives every file an execute permission",
        "the same files are executable in the image: programs, libraries and scripts, by their first bytes"
    )]
    public void WindowsAndLinuxFindTheSameFilesExecutable()
    {
        using var folder = KindsOfFiles();
        foreach (var item in PackageItems)
            SetMode(folder.At(item.RelativePath), ReadWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead);

        var linux = ModesOf(folder, ExecutableRule.ContentOrFileMode);

        Assert.Equal(ModesOf(folder, ExecutableRule.Content), linux);
        Assert.Equal(
            ["app/App", "app/libnative.so", "app/libsmall.so", "app/start.sh", "app/wwwroot/cgi"],
            linux.Where(file => file.Mode == "755").Select(file => file.Path)
        );
    }

    [Fact]
    [ReliabilityCase(
        "Files",
        "a project file has an execute permission, but does not start like a program",
        "it is executable in images built on Linux and macOS"
    )]
    public void AFileThatTheProjectMadeExecutableStaysSo()
    {
        using var folder = KindsOfFiles();
        SetMode(folder.At("tool"), ReadWrite | UnixFileMode.UserExecute);

        Assert.Equal(
            [("app/tool", "755")],
            ModesOf(folder, ExecutableRule.ContentOrFileMode).Except(ModesOf(folder, ExecutableRule.Content))
        );
    }

    [Fact]
    [ReliabilityCase(
        "Files",
        "the file system gives every file an execute permission, like a Windows drive in WSL",
        "the permissions are ignored: the image is the same as elsewhere"
    )]
    public void AFileSystemThatMakesEverythingExecutableIsNotBelieved()
    {
        using var folder = KindsOfFiles();
        foreach (var file in Directory.EnumerateFiles(folder.Path, "*", SearchOption.AllDirectories))
            SetMode(file, ReadWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);

        Assert.Equal(ModesOf(folder, ExecutableRule.Content), ModesOf(folder, ExecutableRule.ContentOrFileMode));
    }

    private static readonly PublishItem[] PackageItems =
    [
        new("Package.dll", PublishItemOrigin.Package),
        new("libnative.so", PublishItemOrigin.Package),
        new("libnative.dylib", PublishItemOrigin.PrereleasePackage),
        new("model.bin", PublishItemOrigin.App) { Package = "Acme.Models" },
        new("libsmall.so", PublishItemOrigin.Runtime),
        new("wwwroot/_content/lib.js", PublishItemOrigin.StaticContent),
        new("wwwroot/cgi", PublishItemOrigin.StaticContent),
    ];

    private const UnixFileMode ReadWrite = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static TempFolder KindsOfFiles()
    {
        var folder = new TempFolder();
        folder.File("App", "\u007fELF\u0002");
        folder.File("App.dll", "MZ");
        folder.File("App.pdb", "BSJB");
        folder.File("App.runtimeconfig.json", "{}");
        folder.File("tool", "echo without a first line that says so");
        folder.File("start.sh", "#!/bin/sh");
        folder.File("short", "#");
        folder.File("empty", "");
        folder.File("Package.dll", "MZ");
        folder.File("libnative.so", "\u007fELF");
        folder.File("libsmall.so", "\u007fELF\u0001");
        folder.File("libnative.dylib", [0xca, 0xfe, 0xba, 0xbe]);
        folder.File("model.bin", "model");
        folder.File("wwwroot/_content/lib.js", "x");
        folder.File("wwwroot/cgi", "#!/bin/sh");
        return folder;
    }

    private static List<(string Path, string Mode)> ModesOf(TempFolder folder, ExecutableRule rule) =>
        [
            .. Read(folder, new LayerEntryDefaults { Executables = rule }, PackageItems)
                .Where(entry => entry.Kind == LayerEntryKind.File)
                .Select(entry => (entry.Path, Convert.ToString((int)entry.Mode, 8))),
        ];

    [Fact]
    public void WithoutExecuteBitsTheContentTells()
    {
        using var folder = Sample();

        var executable = Read(folder, ByContent)
            .Where(entry => entry.Kind == LayerEntryKind.File && (entry.Mode & UnixFileMode.UserExecute) != 0);

        Assert.Equal(["app/run.sh", "app/shop"], executable.Select(entry => entry.Path));
    }

    [Fact]
    public void OwnerAndPlaceComeFromTheDefaults()
    {
        using var folder = new TempFolder();
        folder.File("f", "");

        var entries = Read(
            folder,
            new LayerEntryDefaults
            {
                TargetFolder = "home/app/service",
                Uid = 1654,
                Gid = 7,
            }
        );

        Assert.Equal(["home/app", "home/app/service", "home/app/service/f"], entries.Select(entry => entry.Path));
        Assert.All(entries, entry => Assert.Equal((1654, 7), (entry.Uid, entry.Gid)));
    }

    [Fact]
    public void DirectoriesThatABaseOwnsAreLeftOut()
    {
        using var folder = new TempFolder();
        folder.File("etc/shop/shop.conf", "");
        folder.File("tmp/x", "");

        Assert.Equal(
            ["etc/shop", "etc/shop/shop.conf", "tmp/x"],
            Read(folder, new LayerEntryDefaults { TargetFolder = "" }).Select(entry => entry.Path)
        );
    }

    [Fact]
    public void StaticContentHasATimeThatChangesWithItsContentOnly()
    {
        using var folder = new TempFolder();
        folder.File("wwwroot/a.css", "color: red ");
        folder.File("wwwroot/same.css", "color: red ");
        folder.File("wwwroot/b.css", "color: blue");

        var times = Read(folder)
            .Where(entry => entry.Kind == LayerEntryKind.File)
            .ToDictionary(entry => entry.Path, entry => entry.Modified);

        Assert.Equal(times["app/wwwroot/a.css"], times["app/wwwroot/same.css"]);
        Assert.NotEqual(times["app/wwwroot/a.css"], times["app/wwwroot/b.css"]);
        Assert.All(times.Values, time =>
            Assert.InRange(
                time,
                new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero),
                new DateTimeOffset(2017, 1, 6, 0, 0, 0, TimeSpan.Zero)
            )
        );
        Assert.All(times.Values, time => Assert.Equal(0, time.Ticks % TimeSpan.TicksPerSecond));
    }

    [Theory]
    [InlineData(".wh.file")]
    [InlineData(".wh..wh..opq")]
    [InlineData("new\nline")]
    [InlineData("back\\slash")]
    [InlineData("tab\tbed/file")]
    public void ANameThatALayerCanNotHaveIsAnError(string name)
    {
        if (OperatingSystem.IsWindows())
            return;
        using var folder = new TempFolder();
        folder.File(name, "x");

        Assert.Equal(DiagnosticCodes.InvalidEntry, Assert.Throws<ImagePublishException>(() => Read(folder)).Code);
    }

    [Fact]
    public void NamesThatDifferOnlyInCaseAreTwoFiles()
    {
        if (OperatingSystem.IsWindows())
            return;
        using var folder = new TempFolder();
        folder.File("Shop", "1");
        folder.File("shop", "2");

        Assert.Equal(3, Content(folder).Entries.Count);
    }

    [Fact]
    public void APipeIsAnErrorAndIsNotWaitedFor()
    {
        if (!OperatingSystem.IsLinux())
            return;
        using var folder = new TempFolder();
        using var mkfifo = Process.Start("mkfifo", folder.At("pipe"));
        mkfifo.WaitForExit();

        var failure = Assert.Throws<ImagePublishException>(() => Read(folder, ByContent));

        Assert.Equal(DiagnosticCodes.InvalidEntry, failure.Code);
        Assert.Contains("'pipe'", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ASocketIsAnError()
    {
        if (!OperatingSystem.IsLinux())
            return;
        using var folder = new TempFolder();
        using var socket = new System.Net.Sockets.Socket(
            System.Net.Sockets.AddressFamily.Unix,
            System.Net.Sockets.SocketType.Stream,
            System.Net.Sockets.ProtocolType.Unspecified
        );
        socket.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(folder.At("socket")));

        Assert.Equal(DiagnosticCodes.InvalidEntry, Assert.Throws<ImagePublishException>(() => Read(folder)).Code);
    }

    [Fact]
    public void AMissingFolderIsAnError()
    {
        using var folder = new TempFolder();

        var failure = Assert.Throws<ImagePublishException>(() =>
            LayerTesting.ReadFolder(folder.At("missing"), new LayerEntryDefaults(), [])
        );

        Assert.Equal(DiagnosticCodes.PublishFolderEmpty, failure.Code);
    }

    private static readonly (string Name, string Text)[] SampleFiles =
    [
        ("shop.dll", "MZ not really"),
        ("shop", "\u007fELF not really"),
        ("run.sh", "#!/bin/sh\n"),
        ("wwwroot/css/shop.css", "body { color: red }"),
        ("de/shop.resources.dll", "Übersetzung"),
        ("empty.txt", ""),
        ("Ünïcode/😀.txt", "smile"),
        ("long/" + new string('x', 120) + "/" + new string('y', 130), "long"),
    ];

    private static TempFolder Sample()
    {
        var folder = new TempFolder();
        foreach (var (name, text) in SampleFiles)
            folder.File(name, text);
        Directory.CreateDirectory(folder.At("nothing"));
        return folder;
    }

    private static void SetMode(string path, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, mode);
    }
}
