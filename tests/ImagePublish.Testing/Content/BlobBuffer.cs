using System.Security.Cryptography;

namespace ImagePublish.Testing;

/// <summary>Takes a blob's bytes in, hashing them: in memory, then in a file, then not at all.</summary>
internal sealed class BlobBuffer(TestRegistryOptions options) : IDisposable
{
    private readonly IncrementalHash _sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private MemoryStream? _memory = new();
    private FileStream? _file;

    public long Length { get; private set; }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        _sha256.AppendData(bytes);
        Length += bytes.Length;
        if (Length > options.DiscardBlobsLargerThan)
        {
            _memory = null;
            CloseFile(delete: true);
            return;
        }

        if (_memory is not null && Length > options.KeepInMemoryUpTo)
        {
            _file = new FileStream(Path.Combine(Path.GetTempPath(), $"imagepublish-testing-{Guid.NewGuid():N}"), FileMode.CreateNew);
            _memory.WriteTo(_file);
            _memory = null;
        }

        _memory?.Write(bytes);
        _file?.Write(bytes);
    }

    public bool Matches(string digest)
    {
        if (digest.StartsWith("sha256:", StringComparison.Ordinal))
            return digest == "sha256:" + Convert.ToHexStringLower(_sha256.GetCurrentHash());
        using var stream = Content();
        return digest == "sha512:" + Convert.ToHexStringLower(SHA512.HashData(stream));
    }

    /// <summary>The blob; the buffer holds nothing from here on.</summary>
    public BlobData Finish()
    {
        if (_memory is { } memory)
            return new MemoryBlob(memory.ToArray());
        if (_file is not { } file)
            return new DiscardedBlob(Length);
        CloseFile(delete: false);
        return new FileBlob(file.Name, Length);
    }

    public void Dispose()
    {
        CloseFile(delete: true);
        _file?.Dispose();
        _sha256.Dispose();
    }

    private Stream Content()
    {
        _file?.Flush();
        return _memory is { } memory ? new MemoryStream(memory.ToArray())
            : _file is { } file ? new FileStream(file.Name, FileMode.Open, FileAccess.Read, FileShare.ReadWrite)
            : throw new InvalidOperationException("Only sha256 can be checked of blobs that are discarded.");
    }

    private void CloseFile(bool delete)
    {
        if (_file is not { } file)
            return;
        file.Dispose();
        _file = null;
        if (delete)
            File.Delete(file.Name);
    }
}
