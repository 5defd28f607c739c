using System.Formats.Tar;
using System.Text;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Layers;

public sealed class AddedEntriesTests : IDisposable
{
    private readonly string file = Path.GetTempFileName();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task APathFollowsTheBasesLinksAndBringsNoneOfItsDirectories()
    {
        var layer = Assert.Single(await PlanAsync(File("lib/x/a.so")), one => one.Name == "files");

        Assert.Equal("usr/lib/x usr/lib/x/a.so", Paths(layer));
    }

    [Fact]
    [ReliabilityCase(
        "Files",
        "a file in a folder of the base that does not belong to root or is not readable, such as /tmp",
        "the folder's entry has the base's attributes, which Docker's overlay2 would otherwise replace"
    )]
    public async Task ADirectoryOfTheBaseKeepsItsAttributes()
    {
        var layer = Assert.Single(await PlanAsync(File("srv/shared/a")), one => one.Name == "files");

        Assert.Equal("srv/shared srv/shared/a", Paths(layer));
        var folder = layer.Entries[0];
        Assert.Equal(((UnixFileMode)0b1_111_111_101, 33, 34), (folder.Mode, folder.Uid, folder.Gid));
    }

    [Fact]
    public async Task ADirectoryOfTheBaseChangesOnlyWhatIsAskedFor()
    {
        var layer = Assert.Single(await PlanAsync(Directory("srv/shared") with { Owner = new FileOwner("app", null) }), one =>
            one.Name == "files"
        );

        var entry = Assert.Single(layer.Entries);
        Assert.Equal(((UnixFileMode)0b1_111_111_101, 1654, 1655), (entry.Mode, entry.Uid, entry.Gid));
    }

    [Fact]
    public async Task ADirectoryThatIsThereAlreadyMakesNoLayer() =>
        Assert.DoesNotContain(await PlanAsync(Directory("srv/shared")), layer => layer.Name == "files");

    [Theory]
    [InlineData("app", null, 1654, 1655)]
    [InlineData("app", "staff", 1654, 50)]
    [InlineData("5", null, 5, 5)]
    [InlineData("5", "staff", 5, 50)]
    [InlineData("app", "7", 1654, 7)]
    public async Task NamesAreThoseOfTheBasesAccounts(string user, string? group, int uid, int gid)
    {
        var layer = Assert.Single(await PlanAsync(File("data/a") with { Owner = new FileOwner(user, group) }), one => one.Name == "files");

        var entry = layer.Entries.Single(one => one.Path == "data/a");
        Assert.Equal((uid, gid), (entry.Uid, entry.Gid));
    }

    [Fact]
    public async Task NewFoldersAreRootsWhoeverOwnsTheFile()
    {
        var added = File("opt/acme/shop/a") with { Owner = new FileOwner("app", null) };

        var layer = Assert.Single(await PlanAsync(added), one => one.Name == "files");

        Assert.Equal("opt/acme opt/acme/shop opt/acme/shop/a", Paths(layer));
        Assert.All(layer.Entries.SkipLast(1), folder =>
            Assert.Equal(((UnixFileMode)0b111_101_101, 0, 0), (folder.Mode, folder.Uid, folder.Gid))
        );
    }

    [Fact]
    public async Task WhatIsInTheAppsFolderIsAsIfItHadBeenPublished()
    {
        var layers = await PlanAsync(File("app/wwwroot/a.css"), File("app/config.json"));

        Assert.Equal("app", Paths(layers, "app/config.json"));
        Assert.Equal("static", Paths(layers, "app/wwwroot/a.css"));
    }

    [Fact]
    public async Task ALayerOfOnesOwnLiesBelowTheApps()
    {
        var layers = await PlanAsync(
            File("models/m.bin") with
            {
                Layer = "model",
            },
            File("app/big.bin") with
            {
                Layer = "model",
            },
            File("etc/x")
        );

        Assert.Equal(["model", "files", "app"], layers.Select(layer => layer.Name));
        Assert.Equal("app app/big.bin models models/m.bin", Paths(layers[0]));
    }

    [Fact]
    public async Task EveryLayerHasADirectoryWithTheAttributesOfItsItem()
    {
        var layers = await PlanAsync(
            Directory("data") with
            {
                Owner = new FileOwner("7", null),
                Mode = (UnixFileMode)0b111_000_000,
            },
            File("data/a") with
            {
                Layer = "own",
            }
        );

        Assert.All(layers.Where(layer => layer.Name != "app"), layer =>
            Assert.Equal(7, layer.Entries.Single(entry => entry.Path == "data").Uid)
        );
    }

    [Fact]
    public async Task ALinkMayReplaceALinkOfTheBase()
    {
        var layer = Assert.Single(await PlanAsync(Link("etc/localtime", "/usr/share/zoneinfo/UTC")), one => one.Name == "files");

        Assert.Equal("/usr/share/zoneinfo/UTC", Assert.Single(layer.Entries).LinkTarget);
    }

    [Theory]
    [InlineData("etc/localtime", "link")]
    [InlineData("srv/shared", "directory")]
    [InlineData("etc/passwd/x", "is a file")]
    [InlineData("loop/x", "in circles")]
    [InlineData("app/App.dll", "publish output")]
    [InlineData("app/sub", "directory there")]
    [InlineData("app/App.dll/x", "file or link")]
    [InlineData("../x", "leaves the image")]
    [InlineData("x/.wh.y", "deletes files")]
    public async Task AFileThatCanNotBeThereIsAnErrorThatNamesTheItem(string path, string why)
    {
        var error = await Assert.ThrowsAsync<ImagePublishException>(() => PlanAsync(File(path)));

        Assert.Equal("IMG1016", error.Code.Id);
        Assert.Contains(why, error.Message, StringComparison.Ordinal);
        Assert.StartsWith($"ImageFile '{path}'", error.Message, StringComparison.Ordinal);
        Assert.Equal("App.csproj", error.Item!.File);
    }

    [Fact]
    public async Task TwoItemsForOnePathAreAnErrorByWhicheverNameTheyReachIt()
    {
        var error = await Assert.ThrowsAsync<ImagePublishException>(() => PlanAsync(File("lib/a"), File("usr/lib/a")));

        Assert.Equal(
            "ImageFile 'usr/lib/a' can't be put at '/usr/lib/a': ImageFile 'lib/a' puts something there, too. Leave one of them out.",
            error.Message
        );
    }

    [Fact]
    public async Task AnUnknownUserIsAnErrorThatNamesIt()
    {
        var error = await Assert.ThrowsAsync<ImagePublishException>(() =>
            PlanAsync(File("a") with { Owner = new FileOwner("nobody-here", null) })
        );

        Assert.Equal("IMG1017", error.Code.Id);
        Assert.Contains("user 'nobody-here'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhiteoutsTakeAwayWhatLowerLayersHave()
    {
        var files = new BaseFileSystem([
            await ListAsync(Tar(("a/b/c", 'f', ""), ("a/d", 'f', ""), ("e/f", 'f', ""))),
            await ListAsync(Tar(("a/.wh.b", 'f', ""), ("e/.wh..wh..opq", 'f', ""), ("e/g", 'f', ""))),
        ]);

        Assert.Equal(
            [true, false, true, false, true],
            new[] { "a", "a/b/c", "a/d", "e/f", "e/g" }.Select(path => files.Find(path) is not null)
        );
    }

    [Fact]
    public async Task AListingIsReadAsItWasWrittenAndADamagedOneNotAtAll()
    {
        var listing = await ListAsync(BaseTar());
        var bytes = listing.Write();

        var read = LayerListing.TryRead(bytes)!;
        Assert.Equal(listing.Entries.Select(entry => entry with { Modified = default }), read.Entries);
        Assert.Equal(listing.Texts, read.Texts);
        Assert.Null(LayerListing.TryRead(bytes[..(bytes.Length / 2)]));
        Assert.Null(LayerListing.TryRead([]));
    }

    // Docker makes folders that are missing above a file with the mode 0600.
    [Fact]
    public async Task AUsualFolderThatTheBaseLacksIsMade()
    {
        var layer = (await PlanAsync(Top(File("usr/local/bin/tool")), Top(File("tmp/x")), Top(File("etc/y"))))[^1];

        Assert.Equal("etc/y tmp tmp/x usr/local usr/local/bin usr/local/bin/tool", Paths(layer));
        Assert.Equal((UnixFileMode)0b1_111_111_111, layer.Entries.Single(entry => entry.Path == "tmp").Mode);
        Assert.Equal((UnixFileMode)0b111_101_101, layer.Entries.Single(entry => entry.Path == "usr/local/bin").Mode);
    }

    [Fact]
    public async Task WhatIsOnTopChangesNoLayerBelow()
    {
        AddedEntry[] below = [File("app/sub/config.json"), File("etc/x"), Directory("app/data")];
        var alone = await PlanAsync(below);

        var layers = await PlanAsync([
            .. below,
            Top(File("app/sub/tool")),
            Top(File("lib/x/a.so")),
            Top(Directory("app/sub")) with
            {
                Mode = (UnixFileMode)0b111_000_000,
            },
        ]);

        Assert.Equal(alone.Select(Shown), layers.SkipLast(1).Select(Shown));
        Assert.Equal("app app/sub app/sub/tool usr/lib/x usr/lib/x/a.so", Paths(layers[^1]));
        Assert.Equal(("debug", true), (layers[^1].Name, layers[^1].IsOnTop));
        Assert.Equal((UnixFileMode)0b111_000_000, layers[^1].Entries.Single(entry => entry.Path == "app/sub").Mode);

        static string Shown(LayerInput layer) =>
            $"{layer.Name} {string.Join(' ', layer.Entries.Select(entry => $"{entry.Path} {entry.Mode} {entry.Uid}"))}";
    }

    public void Dispose() => System.IO.File.Delete(file);

    private static async Task<IReadOnlyList<LayerInput>> PlanAsync(params AddedEntry[] added)
    {
        var files = new BaseFileSystem([await ListAsync(BaseTar())]);
        LayerEntry[] published =
        [
            new("app", LayerEntryKind.Directory),
            new("app/sub", LayerEntryKind.Directory) { PublishPath = "sub" },
            new("app/App.dll", LayerEntryKind.File) { Content = new FileInMemory("x"u8.ToArray()), PublishPath = "App.dll" },
        ];
        return new AddedEntries(files, new LayerEntryDefaults()).Plan(published, [], LayeringMode.Auto, added);
    }

    private AddedEntry File(string path) =>
        new(new ItemSource("ImageFile", path, "App.csproj"), LayerEntryKind.File, path) { SourceFile = file };

    private static AddedEntry Top(AddedEntry entry) => entry with { Layer = "debug", IsOnTop = true };

    private static AddedEntry Directory(string path) => new(new ItemSource("ImageDirectory", path, null), LayerEntryKind.Directory, path);

    private static AddedEntry Link(string path, string target) =>
        new(new ItemSource("ImageSymlink", path, null), LayerEntryKind.SymbolicLink, path) { LinkTarget = target };

    private static string Paths(LayerInput layer) => string.Join(' ', layer.Entries.Select(entry => entry.Path));

    private static string Paths(IEnumerable<LayerInput> layers, string path) =>
        layers.Single(layer => layer.Entries.Any(entry => entry.Path == path)).Name;

    private static byte[] BaseTar() =>
        Tar(
            ("etc/passwd", 'f', "root:x:0:0::/root:/bin/sh\napp:x:1654:1655::/home/app:/bin/sh\n"),
            ("etc/group", 'f', "root:x:0:\nstaff:x:50:\n"),
            ("usr/lib", 'u', ""),
            ("lib", 'l', "usr/lib"),
            ("loop", 'l', "/loop"),
            ("etc/localtime", 'l', "/usr/share/zoneinfo/Etc/UTC"),
            ("srv/shared", 'd', "")
        );

    private static byte[] Tar(params (string Name, char Kind, string Text)[] entries)
    {
        var memory = new MemoryStream();
        using (var tar = new TarWriter(memory, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach (var (name, kind, text) in entries)
            {
                var entry = new PaxTarEntry(
                    kind switch
                    {
                        'd' or 'u' => TarEntryType.Directory,
                        'l' => TarEntryType.SymbolicLink,
                        _ => TarEntryType.RegularFile,
                    },
                    name
                );
                if (kind == 'l')
                    entry.LinkName = text;
                else if (kind == 'u')
                    (entry.Mode, entry.Uid, entry.Gid) = ((UnixFileMode)0b111_101_101, 0, 0);
                else if (kind == 'd')
                    (entry.Mode, entry.Uid, entry.Gid) = ((UnixFileMode)0b1_111_111_101, 33, 34);
                else
                    entry.DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text));
                tar.WriteEntry(entry);
            }
        }

        return memory.ToArray();
    }

    private static Task<LayerListing> ListAsync(byte[] tar) =>
        LayerListing.ReadAsync(new MemoryStream(tar), new LayerReaderOptions(), Cancelled);
}
