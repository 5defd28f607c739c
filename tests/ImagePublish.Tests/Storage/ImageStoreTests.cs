using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Storage;

namespace ImagePublish.Tests.Storage;

public sealed class ImageStoreTests : IDisposable
{
    private readonly TestStore test = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private ImageStore Store => test.Store;

    [Fact]
    public async Task WhatIsPutComesBackVerified()
    {
        var blob = MemoryBlobSource.Create("text/plain", "content"u8.ToArray());
        await Store.PutAsync(blob, Cancelled);

        var back = await Store.ReadAsync(blob.Descriptor, 100, Cancelled);

        Assert.Equal(blob.Content.ToArray(), back.Content.ToArray());
        Assert.NotNull(Store.FindBlob(blob.Descriptor));
        Assert.Empty(test.TemporaryFiles);
    }

    [Fact]
    public async Task AnEmptyBlobIsABlob()
    {
        var blob = MemoryBlobSource.Create("text/plain", ReadOnlyMemory<byte>.Empty);
        await Store.PutAsync(blob, Cancelled);

        Assert.Equal(0, (await Store.ReadAsync(blob.Descriptor, 100, Cancelled)).Content.Length);
    }

    [Fact]
    public async Task ABlobWithASha512DigestIsVerifiedToo()
    {
        var content = "content"u8.ToArray();
        var digest = Digest.Parse("sha512:" + Convert.ToHexStringLower(System.Security.Cryptography.SHA512.HashData(content)));
        var blob = new MemoryBlobSource(new Descriptor("text/plain", digest, content.Length), content);
        await Store.PutAsync(blob, Cancelled);

        Assert.Equal(content, (await Store.ReadAsync(blob.Descriptor, 100, Cancelled)).Content.ToArray());
        File.Delete(test.BlobFile(blob.Descriptor));
        await FailsAsync("IMG4005", () => Store.PutAsync(new MemoryBlobSource(blob.Descriptor, "CONTENT"u8.ToArray()), Cancelled));
    }

    [Fact]
    public async Task ContentThatIsNotWhatItClaimsIsNotKept()
    {
        var honest = MemoryBlobSource.Create("text/plain", "content"u8.ToArray());

        await FailsAsync("IMG4005", () => Store.PutAsync(new MemoryBlobSource(honest.Descriptor, "CONTENT"u8.ToArray()), Cancelled));
        await FailsAsync("IMG4005", () => Store.PutAsync(new MemoryBlobSource(honest.Descriptor, "more content"u8.ToArray()), Cancelled));
        Assert.Null(Store.FindBlob(honest.Descriptor));
        Assert.Empty(test.TemporaryFiles);
    }

    [Fact]
    public void ABlobThatIsNotCommittedLeavesNothing()
    {
        using (var writer = Store.CreateBlob())
        {
            writer.Write("half"u8);
            Assert.Single(test.TemporaryFiles);
        }

        Assert.Empty(test.TemporaryFiles);
        Assert.Empty(test.Blobs);
    }

    [Theory]
    [InlineData("CONTENT", "IMG3103")]
    [InlineData("cut", "IMG3104")]
    public async Task ADamagedBlobIsNeverHandedOut(string damage, string code)
    {
        var blob = MemoryBlobSource.Create("text/plain", "content"u8.ToArray());
        await Store.PutAsync(blob, Cancelled);
        await File.WriteAllTextAsync(test.BlobFile(blob.Descriptor), damage, Cancelled);

        var failure = await Assert.ThrowsAsync<ImagePublishException>(() => Store.ReadAsync(blob.Descriptor, 100, Cancelled));

        Assert.Equal(code, failure.Code.Id);
        Assert.Contains(blob.Descriptor.Digest.Hex, failure.Message, StringComparison.Ordinal);
        Assert.Contains("ImageRepair=true", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PuttingACutBlobAgainHealsIt()
    {
        var blob = MemoryBlobSource.Create("text/plain", "content"u8.ToArray());
        await Store.PutAsync(blob, Cancelled);
        await File.WriteAllTextAsync(test.BlobFile(blob.Descriptor), "cut", Cancelled);

        await Store.PutAsync(blob, Cancelled);

        Assert.Equal(7, (await Store.ReadAsync(blob.Descriptor, 100, Cancelled)).Content.Length);
    }

    [Fact]
    public async Task ALinkAmongTheBlobsIsRefused()
    {
        var blob = MemoryBlobSource.Create("text/plain", "content"u8.ToArray());
        var secret = Path.Combine(test.Folder, "secret");
        await File.WriteAllTextAsync(secret, "content", Cancelled);
        Directory.CreateDirectory(Path.GetDirectoryName(test.BlobFile(blob.Descriptor))!);
        File.CreateSymbolicLink(test.BlobFile(blob.Descriptor), secret);

        Assert.Equal("IMG3103", Assert.Throws<ImagePublishException>(() => Store.FindBlob(blob.Descriptor)).Code.Id);
    }

    [Fact]
    public async Task AFullDiskIsOneClearErrorAndLeavesNothing()
    {
        using var full = new TestStore(options => options with { CreateFile = path => new FullDisk(path) });
        var blob = MemoryBlobSource.Create("text/plain", new byte[100_000]);

        var failure = await Assert.ThrowsAsync<ImagePublishException>(() => full.Store.PutAsync(blob, Cancelled));

        Assert.Equal("IMG3101", failure.Code.Id);
        Assert.Contains("No space left", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', failure.Message);
        Assert.Empty(full.TemporaryFiles);
    }

    [Fact]
    public void AFolderThatCanNotBeCreatedIsOneClearError()
    {
        var file = Path.Combine(test.Folder, "file");
        File.WriteAllText(file, "");

        Assert.Equal(
            "IMG3101",
            Assert.Throws<ImagePublishException>(() => ImageStore.Open(Path.Combine(file, "store"), new StoreOptions())).Code.Id
        );
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{\"imageLayoutVersion\":\"2.0.0\"}")]
    [InlineData("{\"imageLayoutVersion\":1}")]
    public void AFolderOfAnotherKindIsRefused(string marker)
    {
        File.WriteAllText(Path.Combine(test.Folder, "oci-layout"), marker);

        Assert.Equal("IMG3103", Assert.Throws<ImagePublishException>(() => ImageStore.Open(test.Folder, new StoreOptions())).Code.Id);
    }

    public void Dispose() => test.Dispose();

    private static async Task FailsAsync(string code, Func<Task> action) =>
        Assert.Equal(code, (await Assert.ThrowsAsync<ImagePublishException>(action)).Code.Id);

    /// <summary>A file on a disk with room for 1,000 bytes.</summary>
    private sealed class FullDisk(string path) : FileStream(path, FileMode.CreateNew)
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            Position + buffer.Length > 1000 ? throw new IOException("No space left on device") : base.WriteAsync(buffer, cancellationToken);
    }
}
