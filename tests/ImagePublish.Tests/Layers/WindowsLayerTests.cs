using System.Formats.Tar;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using static ImagePublish.Tests.Layers.LayerTesting;

namespace ImagePublish.Tests.Layers;

public sealed class WindowsLayerTests
{
    [Fact]
    public async Task FilesLieInTheirFolderWithTheirAttributes()
    {
        var content = WindowsLayer.Create(LayerInput.Create("app", [TextFile("app/shop.exe", "MZ")]));

        var entries = Entries(await TarAsync(content)).ConvertAll(entry => (PaxTarEntry)entry);

        Assert.Equal(["Files/", "Files/app/", "Files/app/shop.exe", "Hives/"], entries.Select(entry => entry.Name));
        Assert.Equal(["16", "16", "32", "16"], entries.Select(entry => entry.ExtendedAttributes["MSWINDOWS.fileattr"]));
        Assert.All(entries, entry => Assert.Equal(48 + 4, Convert.FromBase64String(entry.ExtendedAttributes["MSWINDOWS.rawsd"]).Length));
    }

    [Theory]
    [InlineData("app/Shop.dll")]
    [InlineData("app/a:b")]
    [InlineData("app/what?")]
    [InlineData("app/dot.")]
    [InlineData("app/space ")]
    public void NamesThatWindowsDoesNotHaveAreAnError(string path)
    {
        var content = LayerInput.Create("app", [TextFile("app/shop.dll", ""), TextFile(path, "")]);

        Assert.Equal(DiagnosticCodes.InvalidEntry, Assert.Throws<ImagePublishException>(() => WindowsLayer.Create(content)).Code);
    }

    [Fact]
    public void LinksAreAnError()
    {
        var content = LayerInput.Create("app", [new LayerEntry("app/link", LayerEntryKind.SymbolicLink) { LinkTarget = "x" }]);

        Assert.Equal(DiagnosticCodes.InvalidEntry, Assert.Throws<ImagePublishException>(() => WindowsLayer.Create(content)).Code);
    }
}
