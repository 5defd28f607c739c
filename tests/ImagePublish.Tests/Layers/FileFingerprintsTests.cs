using System.Security.Cryptography;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;

namespace ImagePublish.Tests.Layers;

/// <summary>Tags tell contents apart, and nothing but contents.</summary>
public sealed class FileFingerprintsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("imagepublish-tags-").FullName;

    public static TheoryData<int, int> FirstDifferences =>
        new()
        {
            { 1, 0 },
            { 100, 99 },
            { 256 * 1024, 0 },
            { (256 * 1024) + 1, 256 * 1024 },
            { 3 * 256 * 1024, 5 },
            { 3 * 256 * 1024, (2 * 256 * 1024) + 7 },
        };

    private static byte[] Remembered => [.. Enumerable.Repeat((byte)7, FileTag.Size)];

    private static DateTimeOffset Later => DateTimeOffset.UtcNow + TimeSpan.FromHours(1);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [MemberData(nameof(FirstDifferences))]
    public async Task OneByteMakesAnotherTag(int length, int place)
    {
        var bytes = RandomNumberGenerator.GetBytes(length);
        var one = Write("one", bytes);
        var same = Write("same", bytes);
        bytes[place] ^= 1;
        var other = Write("other", bytes);

        var tags = await TagsOfAsync(one, same, other);

        Assert.Equal(tags.Compute(one), tags.Compute(same));
        Assert.NotEqual(tags.Compute(one), tags.Compute(other));
    }

    [Fact]
    public async Task ZerosOfDifferentLengthsHaveDifferentTags()
    {
        var files = new[] { 0, 1, 15, 16, 17, 256 * 1024, (256 * 1024) + 16, 512 * 1024 }
            .Select(length => Write($"zeros{length}", new byte[length]))
            .ToArray();

        var tags = await TagsOfAsync(files);

        Assert.Equal(files.Length, files.Select(file => Convert.ToHexString(tags.Compute(file))).Distinct().Count());
    }

    [Fact]
    public async Task PartsThatChangePlacesMakeAnotherTag()
    {
        var bytes = RandomNumberGenerator.GetBytes(512 * 1024);
        var one = Write("one", bytes);
        var other = Write("other", [.. bytes[(256 * 1024)..], .. bytes[..(256 * 1024)]]);

        var tags = await TagsOfAsync(one, other);

        Assert.NotEqual(tags.Compute(one), tags.Compute(other));
    }

    [Fact]
    public async Task AnotherKeyMakesOtherTags()
    {
        var file = Write("file", "content"u8.ToArray());

        Assert.NotEqual((await TagsOfAsync(file)).Compute(file), (await TagsOfAsync(file)).Compute(file));
    }

    [Fact]
    public async Task AFileOfAnotherLengthThanListedIsAnError()
    {
        var file = Write("file", "content"u8.ToArray()) with { Length = 8 };

        var failure = await Assert.ThrowsAsync<ImagePublishException>(() => TagsOfAsync(file));

        Assert.Equal(DiagnosticCodes.UnreadableFile, failure.Code);
    }

    [Fact]
    public async Task AFileThatIsWrittenToAfterwardsIsNotAtRest()
    {
        var file = Write("file", "content"u8.ToArray());
        var tags = await TagsOfAsync(file);
        Assert.True(tags.AreAtRest());

        await File.WriteAllTextAsync(file.Path, "CONTENT", TestContext.Current.CancellationToken);
        File.SetLastWriteTimeUtc(file.Path, DateTime.UnixEpoch.AddDays(1));

        Assert.False(tags.AreAtRest());
    }

    [Fact]
    public async Task AFileThatHasNotChangedIsNotReadAgain()
    {
        Assert.True(FileStatus.IsOnReliableFileSystem(folder), "The temporary folder is on a file system without reliable times.");
        var file = Write("file", "content"u8.ToArray());
        var program = Write("program", "#!/bin/sh"u8.ToArray());
        var stamps = new FileStampReader(Later);
        // No file has such a tag: it shows where a tag comes from.
        var table = FileTagTable.Create([
            .. new[] { file, program }.Select(one => new FileTag(Remembered, FileKind.Program, stamps.Read(one.Path))),
        ]);

        var tags = await TagsOfAsync(FileTagTable.Parse(table.Bytes.ToArray()), Later, file, program);

        Assert.Equal(Remembered, tags.Compute(file));
        Assert.Equal(FileKind.Program, tags.KindOf(program));
        Assert.True(tags.AreAtRest());
        Assert.Null(tags.Remember());
    }

    [Theory]
    [InlineData("written, with the same length and time")]
    [InlineData("replaced, with the same length and time")]
    [InlineData("the target of a link, written with the same length and time")]
    [InlineData("the target of a link, replaced by that of another link")]
    public async Task AFileThatHasChangedIsReadAgain(string how)
    {
        var file = Write("file", "content"u8.ToArray());
        var target = file.Path;
        if (how.StartsWith("the target", StringComparison.Ordinal))
        {
            file = file with { Path = Path.Combine(folder, "link") };
            File.CreateSymbolicLink(file.Path, target);
        }

        var table = FileTagTable.Create([new FileTag(Remembered, FileKind.Other, new FileStampReader(Later).Read(file.Path))]);
        var modified = File.GetLastWriteTimeUtc(target);
        Change();
        File.SetLastWriteTimeUtc(target, modified);

        var tags = await TagsOfAsync(table, Later, file);

        Assert.NotEqual(Remembered, tags.Compute(file));

        void Change()
        {
            var other = Path.Combine(folder, "other");
            File.WriteAllText(how.Contains("replaced", StringComparison.Ordinal) ? other : target, "CONTENT");
            if (how.StartsWith("replaced", StringComparison.Ordinal))
                File.Move(other, target, overwrite: true);
            if (how.Contains("another link", StringComparison.Ordinal))
            {
                File.Delete(file.Path);
                File.CreateSymbolicLink(file.Path, other);
            }
        }
    }

    [Fact]
    public async Task WhatChangedALittleWhileAgoIsNotRemembered()
    {
        var old = Write("old", "content"u8.ToArray());
        var changed = new FileStampReader(Later).Read(old.Path);
        var soon = DateTimeOffset.UtcNow + FileStampReader.Rest - TimeSpan.FromSeconds(2);

        Assert.Null((await TagsOfAsync(FileTagTable.Empty, soon, old)).Remember());
        var remembered = (await TagsOfAsync(FileTagTable.Empty, Later, old)).Remember();
        Assert.NotNull(remembered?.Find(changed));
    }

    [Fact]
    public async Task WhatIsInMemoryOnlyIsReadAgain()
    {
        var path = Path.Combine("/dev/shm", Path.GetRandomFileName());
        await File.WriteAllTextAsync(path, "content", TestContext.Current.CancellationToken);
        try
        {
            var tags = await TagsOfAsync(FileTagTable.Empty, Later, new FileOnDisk(path, 7));

            Assert.Null(tags.Remember());
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public async Task EachOfManyFilesIsFoundAgain()
    {
        var files = Enumerable.Range(0, 300).Select(number => Write($"{number}", RandomNumberGenerator.GetBytes(number))).ToArray();
        var first = await TagsOfAsync(FileTagTable.Empty, Later, files);
        var table = FileTagTable.Parse(first.Remember()!.Bytes.ToArray());
        var stamps = new FileStampReader(Later);

        Assert.All(files, file => Assert.Equal(first.Compute(file), table.Find(stamps.Read(file.Path))?.Tag));
        Assert.Null(table.Find(stamps.Read(folder)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1000)]
    public void BytesThatAreNoTableAreAnEmptyOne(int length) => Assert.True(FileTagTable.Parse(new byte[length]).Bytes.IsEmpty);

    private static async Task<FileFingerprints> TagsOfAsync(FileTagTable earlier, DateTimeOffset now, params FileOnDisk[] files)
    {
        var tags = new FileFingerprints(RandomNumberGenerator.GetBytes(FileFingerprints.KeySize), earlier, now);
        await tags.ComputeAsync(files, TestContext.Current.CancellationToken);
        return tags;
    }

    private static async Task<FileFingerprints> TagsOfAsync(params FileOnDisk[] files)
    {
        var tags = new FileFingerprints(RandomNumberGenerator.GetBytes(FileFingerprints.KeySize));
        await tags.ComputeAsync(files, TestContext.Current.CancellationToken);
        return tags;
    }

    private FileOnDisk Write(string name, byte[] bytes)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllBytes(path, bytes);
        return new FileOnDisk(path, bytes.Length);
    }
}
