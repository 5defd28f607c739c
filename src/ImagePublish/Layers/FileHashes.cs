using System.Security.Cryptography;

namespace ImagePublish.Layers;

/// <summary>The hashes by which documents about an image name a file.</summary>
internal sealed record FileHashes(byte[] Sha1, byte[] Sha256)
{
    public const int Sha1Size = SHA1.HashSizeInBytes;
    public const int Sha256Size = SHA256.HashSizeInBytes;

    public static FileHashes OfNothing { get; } = Compute([]);

    public static FileHashes Compute(ReadOnlySpan<byte> content)
    {
        using var hasher = new FileHasher();
        hasher.Append(content);
        return hasher.Finish();
    }

    public static async Task<FileHashes> ComputeAsync(Stream content, CancellationToken cancellationToken)
    {
        using var hasher = new FileHasher();
        var buffer = new byte[81920];
        int read;
        while ((read = await content.ReadAsync(buffer, cancellationToken)) > 0)
            hasher.Append(buffer.AsSpan(0, read));
        return hasher.Finish();
    }
}

/// <summary>Hashes one file after the other.</summary>
internal sealed class FileHasher : IDisposable
{
    // SPDX 2.3 requires SHA-1 of each file; nothing is decided by it.
#pragma warning disable CA5350
    private readonly IncrementalHash sha1 = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
#pragma warning restore CA5350
    private readonly IncrementalHash sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public void Append(ReadOnlySpan<byte> bytes)
    {
        sha1.AppendData(bytes);
        sha256.AppendData(bytes);
    }

    public FileHashes Finish() => new(sha1.GetHashAndReset(), sha256.GetHashAndReset());

    public void Dispose()
    {
        sha1.Dispose();
        sha256.Dispose();
    }
}

/// <summary>Hashes the files of a layer while its tar is written, so that they need not be read once more.</summary>
internal sealed class LayerHasher : IDisposable
{
    private readonly FileHasher hasher = new();
    private readonly List<FileHashes?> files = [];
    private bool isInFile;

    /// <summary>One for each entry of the layer, once its tar is complete; null for what is no file.</summary>
    public IReadOnlyList<FileHashes?> Files => files;

    public void Begin() => isInFile = true;

    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (isInFile)
            hasher.Append(bytes);
    }

    public void End()
    {
        files.Add(hasher.Finish());
        isInFile = false;
    }

    public void Skip() => files.Add(null);

    public void Dispose() => hasher.Dispose();
}
