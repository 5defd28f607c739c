using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Tests.Oci;

public sealed class VocabularyTests
{
    [Fact]
    public void ADigestIsOfItsContent() =>
        Assert.Equal("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", Digest.Compute([]).Value);

    [Theory]
    [InlineData("sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855")]
    [InlineData("sha256:e3b0c442")]
    [InlineData("md5:d41d8cd98f00b204e9800998ecf8427e")]
    [InlineData("sha256:../../../../../../../../../../../../../../../../../../../../etc/passw")]
    public void AMalformedDigestIsRefused(string text) =>
        Assert.Equal(DiagnosticCodes.InvalidDigest, Assert.Throws<ImagePublishException>(() => Digest.Parse(text)).Code);

    [Theory]
    [InlineData("linux/arm64", "linux/arm64/v8", true)]
    [InlineData("linux/arm64/v8", "linux/arm64", true)]
    [InlineData("linux/arm", "linux/arm/v7", true)]
    [InlineData("linux/arm/v6", "linux/arm/v7", false)]
    [InlineData("linux/amd64", "linux/amd64", true)]
    [InlineData("linux/amd64/v3", "linux/amd64", false)]
    [InlineData("windows/amd64", "linux/amd64", false)]
    public void APlatformSatisfiesWhatItRuns(string has, string wanted, bool satisfies) =>
        Assert.Equal(satisfies, Platform.Parse(has).Satisfies(Platform.Parse(wanted)));

    [Fact]
    public void AWindowsVersionMustAgree()
    {
        var image = new Platform("windows", "amd64") { OsVersion = "10.0.20348.2527" };

        Assert.True(image.Satisfies(new Platform("windows", "amd64")));
        Assert.True(image.Satisfies(new Platform("windows", "amd64") { OsVersion = "10.0.20348" }));
        Assert.False(image.Satisfies(new Platform("windows", "amd64") { OsVersion = "10.0.26100" }));
    }

    [Theory]
    [InlineData(ImageFormat.Oci, Compression.Gzip, "application/vnd.oci.image.layer.v1.tar+gzip")]
    [InlineData(ImageFormat.Oci, Compression.Zstd, "application/vnd.oci.image.layer.v1.tar+zstd")]
    [InlineData(ImageFormat.Docker, Compression.Gzip, "application/vnd.docker.image.rootfs.diff.tar.gzip")]
    [InlineData(ImageFormat.Docker, Compression.None, "application/vnd.docker.image.rootfs.diff.tar")]
    public void LayersHaveTheTypeOfTheirFamily(ImageFormat format, Compression compression, string mediaType)
    {
        Assert.Equal(mediaType, MediaTypes.Layer(format, compression));
        Assert.Equal(compression, MediaTypes.CompressionOf(mediaType));
        Assert.Equal(format, MediaTypes.FormatOf(mediaType));
    }

    [Fact]
    public void EveryDiagnosticCodeIsUniqueAndWellFormed()
    {
        Assert.NotEmpty(DiagnosticCodes.All);
        Assert.All(DiagnosticCodes.All, code => Assert.Matches("^IMG[1-69][0-9]{3}$", code.Id));
        Assert.Distinct(DiagnosticCodes.All.Select(code => code.Id));
    }

    [Fact]
    public void ForeignTextIsShownOnOneLine() => Assert.Equal("a\\u000ab", Text.Sanitize("a\nb"));
}
