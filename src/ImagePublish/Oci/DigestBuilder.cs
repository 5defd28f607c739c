using System.Text;

namespace ImagePublish.Oci;

/// <summary>Computes one digest of many values. Each is written with its length, so that different lists have different digests.</summary>
internal sealed class DigestBuilder : IDisposable
{
    private readonly MemoryStream content = new();
    private readonly BinaryWriter writer;

    public DigestBuilder() => writer = new BinaryWriter(content, Encoding.UTF8);

    public void Add(string? value)
    {
        writer.Write(value is not null);
        if (value is not null)
            writer.Write(value);
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

    public Digest ToDigest()
    {
        writer.Flush();
        return Digest.Compute(content.GetBuffer().AsSpan(0, (int)content.Length));
    }

    public void Dispose() => writer.Dispose();
}
