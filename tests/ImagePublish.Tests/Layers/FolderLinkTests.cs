using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using static ImagePublish.Tests.Layers.LayerTesting;

namespace ImagePublish.Tests.Layers;

/// <summary>Symbolic links in a publish folder.</summary>
public sealed class FolderLinkTests
{
    [Theory]
    [InlineData("link", "file", "file")]
    [InlineData("link", "./sub/../file", "./sub/../file")]
    [InlineData("sub/deep/link", "../../file", "../../file")]
    [InlineData("sub/link", "missing", "missing")]
    [InlineData("link", "sub", "sub")]
    [InlineData("sub/deep/link", "{folder}/file", "../../file")]
    [InlineData("sub/link", "{folder}/sub/deep", "deep")]
    [InlineData("link", "{folder}", ".")]
    [InlineData("sub/link", "{folder}", "..")]
    [InlineData("link", "../{name}/file", "file")]
    public void ALinkThatStaysInsideIsKept(string link, string target, string expected)
    {
        using var folder = Sample();
        folder.Link(link, Expand(folder, target));

        var entry = Assert.Single(Read(folder), entry => entry.Kind == LayerEntryKind.SymbolicLink);

        Assert.Equal(("app/" + link, expected), (entry.Path, entry.LinkTarget));
    }

    [Theory]
    [InlineData("link", "..")]
    [InlineData("link", "../other")]
    [InlineData("sub/link", "../../other")]
    [InlineData("sub/link", "deep/../../../other")]
    [InlineData("link", "/etc/passwd")]
    [InlineData("link", "{folder}x/file")]
    public void ALinkThatLeavesIsAnError(string link, string target)
    {
        using var folder = Sample();
        folder.Link(link, Expand(folder, target));

        var failure = Assert.Throws<ImagePublishException>(() => Read(folder));

        Assert.Equal(DiagnosticCodes.UnsafePath, failure.Code);
        Assert.Contains($"'{link}'", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ALinkThatLeavesByWayOfAnotherIsAnError()
    {
        using var folder = Sample();
        folder.Link("sub/deep/top", "../..");
        folder.Link("a", "sub/deep/top/../secret");

        Assert.Equal(DiagnosticCodes.UnsafePath, Assert.Throws<ImagePublishException>(() => Read(folder)).Code);
    }

    [Theory]
    [InlineData("a", "a")]
    [InlineData("a", "b")]
    [InlineData("a", "sub/../b/c")]
    public void LinksThatGoInCirclesAreAnError(string link, string target)
    {
        using var folder = Sample();
        folder.Link(link, target);
        folder.Link("b", "a");

        var failure = Assert.Throws<ImagePublishException>(() => Read(folder));

        Assert.Equal(DiagnosticCodes.UnsafePath, failure.Code);
        Assert.Contains("circles", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatALinkToAFolderPointsAtIsNotReadTwice()
    {
        using var folder = Sample();
        folder.Link("again", "sub");

        Assert.DoesNotContain(Read(folder), entry => entry.Path.StartsWith("app/again/", StringComparison.Ordinal));
    }

    [Fact]
    public void APublishFolderThatIsALinkItselfIsRead()
    {
        using var folder = Sample();
        folder.Link("sub/absolute", folder.At("file"));
        using var elsewhere = new TempFolder();
        var link = elsewhere.Link("publish", folder.Path);

        var entries = LayerTesting.ReadFolder(link, new LayerEntryDefaults(), []);

        Assert.Equal("../file", Assert.Single(entries, entry => entry.Kind == LayerEntryKind.SymbolicLink).LinkTarget);
    }

    private static string Expand(TempFolder folder, string target) =>
        target
            .Replace("{folder}", folder.Path, StringComparison.Ordinal)
            .Replace("{name}", Path.GetFileName(folder.Path), StringComparison.Ordinal);

    private static TempFolder Sample()
    {
        var folder = new TempFolder();
        folder.File("file", "x");
        folder.File("sub/deep/file", "x");
        return folder;
    }
}
