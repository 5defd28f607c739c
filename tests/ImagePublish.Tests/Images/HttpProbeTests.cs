using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Oci;

namespace ImagePublish.Tests.Images;

/// <summary>Which port a health check by http asks, and what it can ask for.</summary>
public sealed class HttpProbeTests
{
    [Theory]
    [InlineData("8080", "ASPNETCORE_HTTP_PORTS=8080")]
    [InlineData("9000", "ASPNETCORE_HTTP_PORTS=8080", "ASPNETCORE_URLS=https://+:9443;http://+:9000")]
    [InlineData(
        "7000",
        "ASPNETCORE_URLS=http://+:9000",
        "Kestrel__Endpoints__Https__Url=https://*:7443",
        "Kestrel__Endpoints__Web__Url=http://*:7000"
    )]
    [InlineData("80", "DOTNET_URLS=http://*")]
    [InlineData("5000", "HTTP_PORTS=5000;5001")]
    [InlineData("6000", "ASPNETCORE_HTTPS_PORTS=8443")]
    public void ItAsksWhereTheAppAnswersHttp(string port, params string[] variables)
    {
        var probe = new HttpProbe("/app/http-healthcheck", "/health", null, 30);

        Assert.Equal(
            ["CMD", "/app/http-healthcheck", port, "/health", "30"],
            probe.Test(variables, [new ExposedPort(53, "udp"), new ExposedPort(6000)])
        );
        Assert.Equal("1234", (probe with { Port = 1234 }).Test(variables, [])[2]);
    }

    [Theory]
    [InlineData]
    [InlineData("ASPNETCORE_URLS=https://+:9443")]
    [InlineData("ASPNETCORE_HTTP_PORTS=%HTTP%")]
    public void WithoutAPortItIsRefused(params string[] variables)
    {
        var failure = Assert.Throws<ImagePublishException>(() => new HttpProbe("/app/p", "/health", null, 30).Test(variables, []));

        Assert.Equal("IMG1007", failure.Code.Id);
        Assert.Contains("Name it in its Port", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/", true)]
    [InlineData("/health?full=1&x=%20", true)]
    [InlineData("health", false)]
    [InlineData("", false)]
    [InlineData("/a b", false)]
    [InlineData("/a\r\nHost: b", false)]
    [InlineData("/é", false)]
    [InlineData("/a#b", false)]
    public void APathIsWhatALineOfARequestCanHold(string text, bool isPath) => Assert.Equal(isPath, HttpProbe.IsPath(text));

    [Theory]
    [InlineData("linux/amd64", "ImagePublish.Probe.x64")]
    [InlineData("linux/arm64", "ImagePublish.Probe.arm64")]
    [InlineData("linux/arm/v7", "ImagePublish.Probe.arm")]
    [InlineData("linux/arm/v6", null)]
    [InlineData("linux/s390x", null)]
    [InlineData("windows/amd64", null)]
    public void ThereIsAProgramForTheCommonPlatforms(string platform, string? program)
    {
        Assert.Equal(program, HttpProbe.FindProgram(Platform.Parse(platform)));
        if (program is not null)
            Assert.Equal(0x464c457fu, BitConverter.ToUInt32(ImagePublish.Layers.FileInMemory.BuiltIn(program).Bytes.Span));
    }
}
