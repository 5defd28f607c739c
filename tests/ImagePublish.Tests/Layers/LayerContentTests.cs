using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using static ImagePublish.Tests.Layers.LayerTesting;

namespace ImagePublish.Tests.Layers;

public sealed class LayerContentTests
{
    [Fact]
    public void MissingParentsAreAddedButNotThoseOfTheBase()
    {
        var content = LayerInput.Create(
            "app",
            [TextFile("usr/share/shop/data/x", ""), TextFile("etc/shop.conf", "")],
            new LayerEntryDefaults { Uid = 3 }
        );

        Assert.Equal(
            ["etc/shop.conf", "usr/share/shop", "usr/share/shop/data", "usr/share/shop/data/x"],
            content.Entries.Select(entry => entry.Path)
        );
        Assert.Equal(3, content.Entries[1].Uid);
    }

    [Fact]
    public void WhatTheBaseIsKnownToHaveIsNotAdded()
    {
        var content = LayerInput.Create("app", [TextFile("home/app/shop/x", "")], ownedByBase: new HashSet<string> { "home/app" });

        Assert.Equal(["home/app/shop", "home/app/shop/x"], content.Entries.Select(entry => entry.Path));
    }

    [Fact]
    public void ADirectoryThatIsAskedForIsKeptAsItIs()
    {
        var tmp = new LayerEntry("tmp", LayerEntryKind.Directory) { Mode = (UnixFileMode)0b1_111_111_111 };

        Assert.Equal([tmp], LayerInput.Create("app", [tmp, tmp]).Entries);
    }

    [Theory]
    [InlineData("/app/x", "IMG3001")]
    [InlineData("app/../x", "IMG3001")]
    [InlineData("..", "IMG3001")]
    [InlineData("", "IMG3004")]
    [InlineData("app//x", "IMG3004")]
    [InlineData("app/", "IMG3004")]
    [InlineData("./app", "IMG3004")]
    [InlineData("app/a\0b", "IMG3004")]
    [InlineData("app/a\u007fb", "IMG3004")]
    [InlineData("app/a\u0085b", "IMG3004")]
    [InlineData("app/a\\b", "IMG3004")]
    [InlineData("app/\ud800", "IMG3004")]
    [InlineData("app/\ufffd", "IMG3004")]
    [InlineData("app/.wh.x", "IMG3004")]
    [InlineData(".wh.app/x", "IMG3004")]
    public void APathThatIsNotTheSameToEveryReaderIsAnError(string path, string code) =>
        Assert.Equal(code, Assert.Throws<ImagePublishException>(() => LayerInput.Create("app", [TextFile(path, "")])).Code.Id);

    [Fact]
    public void NamesMayHave255BytesAndNoMore()
    {
        Assert.Equal(2, LayerInput.Create("app", [TextFile("app/" + new string('x', 255), "")]).Entries.Count);
        Assert.Equal(2, LayerInput.Create("app", [TextFile("app/" + new string('ü', 127), "")]).Entries.Count);
        Assert.Throws<ImagePublishException>(() => LayerInput.Create("app", [TextFile("app/" + new string('x', 256), "")]));
        Assert.Throws<ImagePublishException>(() => LayerInput.Create("app", [TextFile("app/" + new string('ü', 128), "")]));
        Assert.Throws<ImagePublishException>(() =>
            LayerInput.Create("app", [TextFile(string.Join('/', Enumerable.Repeat(new string('x', 200), 21)), "")])
        );
    }

    [Fact]
    public void TwoFilesForOnePathAreAnErrorThatNamesBoth()
    {
        var first = new LayerEntry("app/x", LayerEntryKind.File) { Content = new FileOnDisk("/one/x", 1) };
        var second = first with { Content = new FileOnDisk("/two/x", 1) };

        var failure = Assert.Throws<ImagePublishException>(() => LayerInput.Create("app", [first, second]));

        Assert.Equal(DiagnosticCodes.InvalidEntry, failure.Code);
        Assert.Contains("/one/x", failure.Message, StringComparison.Ordinal);
        Assert.Contains("/two/x", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AFileCanNotBeAFolderToo() =>
        Assert.Equal(
            DiagnosticCodes.InvalidEntry,
            Assert.Throws<ImagePublishException>(() => LayerInput.Create("app", [TextFile("app/x", ""), TextFile("app/x/y/z", "")])).Code
        );

    [Fact]
    public void ALinkCanNotBeAFolderToo()
    {
        var link = new LayerEntry("app/x", LayerEntryKind.SymbolicLink) { LinkTarget = "y" };

        Assert.Equal(
            DiagnosticCodes.InvalidEntry,
            Assert.Throws<ImagePublishException>(() => LayerInput.Create("app", [link, TextFile("app/x/z", "")])).Code
        );
    }
}
