using System.Globalization;
using System.Text;
using ImagePublish.Oci;

namespace ImagePublish.Tests.Oci;

/// <summary>A digest of many values is that of all of them, however many there are.</summary>
public sealed class DigestBuilderTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(20_000)]
    public void ValuesAreHashedInOrder(int count)
    {
        using var expected = new MemoryStream();
        using var writer = new BinaryWriter(expected, Encoding.UTF8);
        using var builder = new DigestBuilder();
        for (var value = 0; value < count; value++)
        {
            var text = $"content/file{value.ToString(CultureInfo.InvariantCulture)}.dat";
            byte[] tag = [(byte)value, 1, 2, 3];
            builder.Add(text);
            builder.Add(value);
            builder.Add(tag);
            writer.Write(true);
            writer.Write(text);
            writer.Write((long)value);
            writer.Write(tag.Length);
            writer.Write(tag);
        }

        Assert.Equal(Digest.Compute(expected.ToArray()), builder.ToDigest());
    }
}
