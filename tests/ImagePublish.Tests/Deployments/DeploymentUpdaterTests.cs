using System.Text;
using ImagePublish.Common;
using ImagePublish.Deployments;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Tests.Registries;

namespace ImagePublish.Tests.Deployments;

/// <summary>Deployment files on the disk: all of them get the digest, or none does.</summary>
public sealed class DeploymentUpdaterTests : IDisposable
{
    private const string Area = "Manifests";
    private const string Shop = "ghcr.io/acme/shop";

    private static readonly string New = "sha256:" + new string('a', 64);

    private readonly TempFolder folder = new();
    private readonly TestLog log = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task FilesAreChangedInPlaceAndOthersAreNotTouched()
    {
        var web = folder.File("web.yaml", $"# Web\r\nimage:   {Shop}:1.0   # here\r\n");
        var other = folder.File("other.yaml", "this: [is no YAML");
        var before = File.GetLastWriteTimeUtc(other);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(web, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);

        var updates = await UpdateAsync("web.yaml", "other.yaml");

        Assert.Equal(1, Assert.Single(updates).Places);
        Assert.Equal($"# Web\r\nimage:   {Shop}:1.4.2@{New}   # here\r\n", await File.ReadAllTextAsync(web, Cancel));
        Assert.Equal(before, File.GetLastWriteTimeUtc(other));
        Assert.Equal(["other.yaml", "web.yaml"], Directory.GetFiles(folder.Path).Select(Path.GetFileName).Order());
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead, File.GetUnixFileMode(web));
    }

    [Fact]
    [ReliabilityCase(Area, "a file with a byte-order mark, Windows line endings and multi-byte characters", "these bytes are kept")]
    public async Task ByteOrderMarkAndLineEndsStay()
    {
        byte[] mark = [0xEF, 0xBB, 0xBF];
        var path = folder.File("web.yaml", [.. mark, .. Encoding.UTF8.GetBytes($"n: é😀\r\nimage: {Shop}:1.0\r\n")]);

        await UpdateAsync("web.yaml");

        byte[] expected = [.. mark, .. Encoding.UTF8.GetBytes($"n: é😀\r\nimage: {Shop}:1.4.2@{New}\r\n")];
        Assert.Equal(expected, await File.ReadAllBytesAsync(path, Cancel));
    }

    [Fact]
    public async Task WhatIsUpToDateIsNotWritten()
    {
        var path = folder.File("web.yaml", $"image: {Shop}:1.0\n");
        await UpdateAsync("web.yaml");
        var written = File.GetLastWriteTimeUtc(path);

        var update = Assert.Single(await UpdateAsync("web.yaml"));

        Assert.False(update.IsChanged);
        Assert.Equal(written, File.GetLastWriteTimeUtc(path));
    }

    [Theory]
    [InlineData("image: ghcr.io/acme/shop\n\tx: 1\n", "IMG3120", "it is not YAML: line 1, column")]
    [InlineData("image: &s ghcr.io/acme/shop\nversion: *s\n", "IMG3124", "line 1: the image has an anchor")]
    [ReliabilityCase(
        Area,
        "one of several files is not YAML, or names the image in a form that can't be changed",
        "an error with a code, and no file is changed"
    )]
    public async Task AFileThatCanNotBeChangedChangesNone(string text, string code, string why)
    {
        var good = folder.File("a.yaml", $"image: {Shop}:1.0\n");
        folder.File("b.yaml", text);

        var failure = await Assert.ThrowsAsync<ImagePublishException>(() => UpdateAsync("a.yaml", "b.yaml"));

        Assert.Equal(code, failure.Code.Id);
        Assert.Contains("b.yaml", failure.Message, StringComparison.Ordinal);
        Assert.Contains(why, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', failure.Message);
        Assert.Equal($"image: {Shop}:1.0\n", await File.ReadAllTextAsync(good, Cancel));
        Assert.Equal(code, Assert.Throws<ImagePublishException>(() => Updater("a.yaml", "b.yaml").Check(Image())).Code.Id);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [ReliabilityCase(Area, "a file in UTF-16, or with bytes that are not UTF-8", "`IMG3120` before anything is published")]
    public void AnotherEncodingIsRefused(bool isUtf16)
    {
        var text = $"image: {Shop}:1.0 # é\n";
        folder.File("web.yaml", isUtf16 ? Encoding.Unicode.GetBytes(text) : Encoding.Latin1.GetBytes(text));

        var failure = Assert.Throws<ImagePublishException>(() => Updater("web.yaml").Check(Image()));

        Assert.Equal("IMG3120", failure.Code.Id);
        Assert.Contains("it is not UTF-8", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    [ReliabilityCase(Area, "a file of more than 32 MB", "`IMG3120`, and it is not read")]
    public void AHugeFileIsRefused()
    {
        var path = folder.File("web.yaml", "");
        using (var file = File.OpenWrite(path))
            file.SetLength(DeploymentFile.MaxLength + 1L);

        Assert.Equal("IMG3120", Assert.Throws<ImagePublishException>(() => Updater("web.yaml").Check(Image())).Code.Id);
    }

    [Fact]
    public async Task AFileOfManyMegabytesIsChanged()
    {
        var filler = string.Concat(Enumerable.Range(0, 60_000).Select(number => $"k{number}: a value of some length\n"));
        folder.File("web.yaml", $"{filler}image: {Shop}:1.0\n{filler.Replace("k", "l", StringComparison.Ordinal)}");

        Assert.Single(await UpdateAsync("web.yaml"));
    }

    [Fact]
    [ReliabilityCase(Area, "a template that is not valid YAML until it is filled in", "`IMG3121`, and it is unchanged")]
    public async Task ATemplateIsLeftAsItIs()
    {
        var template = $"{{{{- if .Values.on }}}}\nimage: {Shop}:1.0\n{{{{- end }}}}\n";
        var path = folder.File("templates/web.yaml", template);
        folder.File("values.yaml", $"image: {Shop}:1.0\n");

        Updater("templates/web.yaml", "values.yaml").Check(Image());
        await UpdateAsync("templates/web.yaml", "values.yaml");

        Assert.Contains("is a template", Assert.Single(log.Warnings), StringComparison.Ordinal);
        Assert.Equal(template, await File.ReadAllTextAsync(path, Cancel));
    }

    [Fact]
    public void ItIsSaidWhereNoFileNamesTheImage()
    {
        folder.File("web.yaml", "image: ghcr.io/acme/other:1.0\n");

        Updater("web.yaml").Check(Image());

        Assert.Contains($"names {Shop}", Assert.Single(log.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnotherNameOfTheImageMayBeGiven()
    {
        var path = folder.File("web.yaml", $"image: mirror:5000/shop:1.0\n---\nimage: {Shop}\n");
        var file = FileOf("web.yaml") with { Alias = Reference.Parse("mirror:5000/shop").Repository };

        await new DeploymentUpdater([file], null, log).UpdateAsync(Image(), Cancel);

        Assert.Equal($"image: mirror:5000/shop:1.4.2@{New}\n---\nimage: {Shop}@{New}\n", await File.ReadAllTextAsync(path, Cancel));
    }

    [Fact]
    [ReliabilityCase(Area, "several projects write their digests into one file at once", "all digests are in the file")]
    public async Task ParallelWritersWaitForEachOther()
    {
        const int Count = 12;
        var path = folder.File(
            "all.yaml",
            string.Concat(Enumerable.Range(0, Count).Select(number => $"- image: ghcr.io/acme/s{number}s:1.0\n"))
        );

        await Task.WhenAll(
            Enumerable
                .Range(0, Count)
                .Select(number =>
                    Task.Run(() => Updater("all.yaml").UpdateAsync(Image($"ghcr.io/acme/s{number}s", DigestOf(number)), Cancel), Cancel)
                )
        );

        var expected = Enumerable.Range(0, Count).Select(number => $"- image: ghcr.io/acme/s{number}s:1.4.2@{DigestOf(number)}\n");
        Assert.Equal(string.Concat(expected), await File.ReadAllTextAsync(path, Cancel));
    }

    [Fact]
    public async Task AFolderGetsAllFilesAndKeepsTheDigestsOfOtherProjects()
    {
        var source = folder.File("deploy/all.yaml", $"- image: {Shop}:1.0 # c\n- image: ghcr.io/acme/job:1.0\n");
        folder.File("deploy/sub/plain.yaml", "x: 1\n");

        await UpdateIntoFolderAsync(Image());
        await UpdateIntoFolderAsync(Image("ghcr.io/acme/job", DigestOf(2)));

        Assert.Equal($"- image: {Shop}:1.4.2@{New} # c\n- image: ghcr.io/acme/job:1.4.2@{DigestOf(2)}\n", Result("all.yaml"));
        Assert.Equal("x: 1\n", Result("sub/plain.yaml"));
        Assert.Contains(":1.0 # c", await File.ReadAllTextAsync(source, Cancel), StringComparison.Ordinal);

        await File.WriteAllTextAsync(source, $"- image: {Shop}:1.0 # changed\n- image: ghcr.io/acme/job:1.0\n", Cancel);
        await UpdateIntoFolderAsync(Image());

        Assert.Equal($"- image: {Shop}:1.4.2@{New} # changed\n- image: ghcr.io/acme/job:1.0\n", Result("all.yaml"));
    }

    [Fact]
    [ReliabilityCase(Area, "a file that is a symbolic link", "the link's target is written, and the link stays")]
    public async Task ALinkStays()
    {
        var target = folder.File("real/web.yaml", $"image: {Shop}:1.0\n");
        var link = folder.Link("web.yaml", target);

        await new DeploymentUpdater([new DeploymentFile(link, "web.yaml", target)], null, log).UpdateAsync(Image(), Cancel);

        Assert.Equal(target, new FileInfo(link).LinkTarget);
        Assert.Equal($"image: {Shop}:1.4.2@{New}\n", await File.ReadAllTextAsync(target, Cancel));
    }

    [Fact]
    [ReliabilityCase(
        Area,
        "one of several files can't be written",
        "`IMG3125`, which says that the image is published and no file was changed"
    )]
    public async Task AFileThatCanNotBeWrittenChangesNone()
    {
        var good = folder.File("a.yaml", $"image: {Shop}:1.0\n");
        folder.File("b.yaml", $"image: {Shop}:1.0\n");
        folder.File("blocked", "a file where a folder is needed");
        DeploymentFile[] files = [FileOf("a.yaml"), FileOf("b.yaml") with { Target = folder.At("blocked/b.yaml") }];

        var failure = await Assert.ThrowsAsync<ImagePublishException>(() =>
            new DeploymentUpdater(files, null, log).UpdateAsync(Image(), Cancel)
        );

        Assert.Equal("IMG3125", failure.Code.Id);
        Assert.Contains("no file was changed", failure.Message, StringComparison.Ordinal);
        Assert.Equal($"image: {Shop}:1.0\n", await File.ReadAllTextAsync(good, Cancel));
    }

    private static string DigestOf(int number) => Digest.Compute([(byte)number]).Value;

    private static DeployedImage Image() => Image(Shop, New);

    private static DeployedImage Image(string name, string digest) =>
        new([Reference.Parse(name).Repository], [Tag.Parse("1.4.2"), Tag.Parse("latest")], Digest.Parse(digest));

    private DeploymentFile FileOf(string name) => new(folder.At(name), name, folder.At(name));

    private DeploymentUpdater Updater(params string[] names) => new([.. names.Select(FileOf)], null, log);

    private Task<IReadOnlyList<DeploymentUpdate>> UpdateAsync(params string[] names) => Updater(names).UpdateAsync(Image(), Cancel);

    private Task UpdateIntoFolderAsync(DeployedImage image)
    {
        var files = new[] { "all.yaml", "sub/plain.yaml" }.Select(name => new DeploymentFile(
            folder.At($"deploy/{name}"),
            name,
            folder.At($"out/{name}")
        ));
        return new DeploymentUpdater([.. files], folder.At("out"), log).UpdateAsync(image, Cancel);
    }

    private string Result(string name) => File.ReadAllText(folder.At($"out/{name}"));
}
