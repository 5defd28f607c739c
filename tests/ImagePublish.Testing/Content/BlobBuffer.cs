using System.Security.Cryptography;

namespace ImagePublish.Testing;

/// <summary>Takes a blob's bytes in, hashing them: in memory, then in a file, then not at all.</summary>
internal sealed class BlobBuffer(TestRegistryOptions options) : IDisposable
{
    private readonly IncrementalHash sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private MemoryStream? memory = new();
    private FileStream? file;

    public long Length { get; private set; }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        sha256.AppendData(bytes);
        Length += bytes.Length;
        if (Length > options.DiscardBlobsLargerThan)
        {
            memory = null;
            CloseFile(delete: true);
            return;
        }

        if (memory is not null && Length > options.KeepInMemoryUpTo)
        {
            file = new FileStream(Path.Combine(Path.GetTempPath(), $"imagepublish-testing-{Guid.NewGuid():N}"), FileMode.CreateNew);
            memory.WriteTo(file);
            memory = null;
        }

        memory?.Write(bytes);
        file?.Write(bytes);
    }

    public bool Matches(string digest)
    {
        if (digest.StartsWith("sha256:", StringComparison.Ordinal))
            return digest == "sha256:" + Convert.ToHexStringLower(sha256.GetCurrentHash());
        using var stream = Content();
        return digest == "sha512:" + Convert.ToHexStringLower(SHA512.HashData(stream));
    }

    /// <summary>The blob; the buffer holds nothing from here on.</summary>
    public BlobData Finish()
    {
        if (this.memory is { } memory)
            return new MemoryBlob(memory.ToArray());
        if (this.file is not { } file)
            return new DiscardedBlob(Length);
        CloseFile(delete: false);
        return new FileBlob(file.Name, Length);
    }

    public void Dispose()
    {
        CloseFile(delete: true);
        file?.Dispose();
        sha256.Dispose();
    }

    private Stream Content()
    {
        this.file?.Flush();
        return this.memory is { } memory ? new MemoryStream(memory.ToArray())
            : this.file is { } file ? new FileStream(file.Name, FileMode.Open, FileAccess.Read, FileShare.ReadWrite)
            : throw new InvalidOperationException("Only sha256 can be checked of blobs that are discarded.");
    }

    private void CloseFile(bool delete)
    {
        if (this.file is not { } file)
            return;
        file.Dispose();
        this.file = null;
        if (delete)
            File.Delete(file.Name);
    }
}
