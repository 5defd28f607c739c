using System.Text;
using System.Text.Json;
using ImagePublish.Images;
using ImagePublish.Oci;

namespace ImagePublish.Tests.Security;

/// <summary>Values with a grammar, where documents are read.</summary>
public sealed class MalformedValueTests
{
    private const string Hash = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Theory]
    [InlineData(
        "\"os\":\"linux\\n\"",
        "the config's $.os is the string 'linux\\u000a', but must be letters, digits, '.', '_' and '-', fewer than 64"
    )]
    [InlineData("\"architecture\":\"amd64]\"", "$.architecture is the string 'amd64]'")]
    [InlineData("\"variant\":\"v8 \"", "$.variant is the string 'v8 '")]
    [InlineData(
        "\"os.version\":\"10.0 (##vso[x])\"",
        "$['os.version'] is the string '10.0 (## vso[x])', but must be letters, digits, '.', '_', '-', '+' and '~', fewer than 64"
    )]
    public void AConfigsPlatformIsWellFormed(string field, string says)
    {
        var failure = Assert.ThrowsAny<JsonException>(() => OciJson.ReadConfig(Encoding.UTF8.GetBytes($"{{{field}}}")));

        Assert.Contains(says, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10.0.20348.2113")]
    [InlineData("14.2-RELEASE")]
    [InlineData("6.1.0+deb12~rc1")]
    [InlineData("")]
    public void VersionsOfRealSystemsAreRead(string version) =>
        Assert.Equal(
            version,
            OciJson
                .ReadConfig(Encoding.UTF8.GetBytes($$"""{"os":"windows","architecture":"amd64","variant":"","os.version":"{{version}}"}"""))
                .OsVersion
        );

    [Fact]
    public void AnIndexsPlatformIsWellFormed()
    {
        var index =
            $$$"""{"manifests":[{"mediaType":"a","digest":"{{{Hash}}}","size":1},{"mediaType":"a","digest":"{{{Hash}}}","size":1,"platform":{"os":"linux","architecture":"amd64|x"}}]}""";

        var failure = Assert.ThrowsAny<JsonException>(() => OciJson.ReadIndex(Encoding.UTF8.GetBytes(index)));

        Assert.Equal(
            "the index's $.manifests[1].platform.architecture is the string 'amd64|x', but must be letters, digits, '.', '_' and "
                + "'-', fewer than 64",
            failure.Message
        );
    }

    [Theory]
    [InlineData("application/vnd.oci.image.config.v1+json", true)]
    [InlineData("text/plain; charset=utf-8", true)]
    [InlineData("", true)]
    [InlineData("a/b\\n", false)]
    [InlineData("##vso[x]", false)]
    [InlineData("<b>", false)]
    public void AMediaTypeCouldBeOne(string mediaType, bool isOne)
    {
        var manifest = $$"""{"config":{"mediaType":"{{mediaType}}","digest":"{{Hash}}","size":1},"layers":[]}""";

        if (isOne)
        {
            Assert.Equal(mediaType, OciJson.ReadManifest(Encoding.UTF8.GetBytes(manifest)).Config.MediaType);
            return;
        }

        var failure = Assert.ThrowsAny<JsonException>(() => OciJson.ReadManifest(Encoding.UTF8.GetBytes(manifest)));
        Assert.StartsWith("the manifest's $.config.mediaType is the string ", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatIsNoPortIsNotReadAsOne() =>
        Assert.Equal(
            [new ExposedPort(8080), new ExposedPort(53, "udp"), new ExposedPort(80)],
            ExposedPort.Read(["8080/tcp", "$PORT/tcp", "53/udp", "80", "0/tcp", "99999/tcp", "80 x/tcp", ""])
        );
}
