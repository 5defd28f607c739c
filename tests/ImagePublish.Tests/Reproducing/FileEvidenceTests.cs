using System.Text;
using ImagePublish.Reproducing;

namespace ImagePublish.Tests.Reproducing;

public sealed class FileEvidenceTests
{
    [Theory]
    [InlineData("abcdef", "abXdef", "1 of 6 bytes differ: 0x2")]
    [InlineData("abcdef", "XbcdeX", "2 of 6 bytes differ: 0x0-0x5")]
    [InlineData("a................b", "X................X", "2 of 18 bytes differ: 0x0, 0x11")]
    [InlineData("abc", "abcdef", "3 bytes in the image and 6 here, different from byte 0x3 on")]
    [InlineData("Xbc", "abcdef", "3 bytes in the image and 6 here, different from byte 0x0 on")]
    public void BytesThatDifferAreShownAsRanges(string named, string rebuilt, string expected) =>
        Assert.Equal(expected, FileEvidence.Describe(Encoding.ASCII.GetBytes(named), Encoding.ASCII.GetBytes(rebuilt)));

    [Fact]
    public void ManyRangesAreCounted()
    {
        var one = new byte[1000];
        var other = new byte[1000];
        for (var index = 0; index < 1000; index += 100)
            other[index] = 1;

        Assert.Equal("10 of 1,000 bytes differ: 0x0, 0x64, 0xc8 and 7 more ranges", FileEvidence.Describe(one, other));
    }

    [Theory]
    [InlineData("a\nb\n", "a\r\nb\r\n", true)]
    [InlineData("a\r\nb\n", "a\nb\n", true)]
    [InlineData("a\nb\n", "a\nc\n", false)]
    [InlineData("a\rb", "ab", false)]
    [InlineData("a\0\n", "a\0\r\n", false)]
    public void LineEndsAreToldFromContent(string named, string rebuilt, bool expected) =>
        Assert.Equal(expected, FileEvidence.DiffersInLineEndsOnly(Encoding.ASCII.GetBytes(named), Encoding.ASCII.GetBytes(rebuilt)));
}
