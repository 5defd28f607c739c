using System.Security.Cryptography;
using System.Text;

namespace ImagePublish.Oci;

/// <summary>Computes one digest of many values. Each is written with its length, so that different lists have different digests.</summary>
internal sealed class DigestBuilder : IDisposable
{
    private const int MaxBuffered = 32 * 1024;

    private readonly MemoryStream content = new();
    private readonly BinaryWriter writer;
    private IncrementalHash? hashed;

    public DigestBuilder() => writer = new BinaryWriter(content, Encoding.UTF8);

    public void Add(string? value)
    {
        writer.Write(value is not null);
        if (value is not null)
            writer.Write(value);
        if (content.Length > MaxBuffered)
            Hash();
    }

    public void Add(long value) => writer.Write(value);

    public void Add(byte[] value)
    {
        writer.Write(value.Length);
        writer.Write(value);
    }

    public void Add(IReadOnlyCollection<string>? values)
    {
        writer.Write(values?.Count ?? -1);
        foreach (var value in values ?? [])
            writer.Write(value);
    }

    /// <summary>Adds what tells this build of the product from any other: what another one remembered under such a digest is not
    /// found.</summary>
    public void AddThisBuild() => Add(typeof(DigestBuilder).Module.ModuleVersionId.ToByteArray());

    public Digest ToDigest()
    {
        if (hashed is null)
            return Digest.Compute(Buffered);
        Hash();
        return Digest.FromSha256(hashed.GetHashAndReset());
    }

    public void Dispose()
    {
        writer.Dispose();
        hashed?.Dispose();
    }

    private ReadOnlySpan<byte> Buffered => content.GetBuffer().AsSpan(0, (int)content.Length);

    // The values of many files would be megabytes.
    private void Hash()
    {
        hashed ??= IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hashed.AppendData(Buffered);
        content.SetLength(0);
    }
}
