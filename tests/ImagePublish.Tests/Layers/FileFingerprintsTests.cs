using System.Security.Cryptography;
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
