using Aspire.Hosting;
using ImagePublish.AppHost;

namespace ImagePublish.Tasks.Tests.AppHosts;

/// <summary>
/// What <c>UseImagePublish</c> does by itself. The texts are what Aspire.Hosting.Docker and Aspire.Hosting.Kubernetes write.
/// </summary>
public sealed class WrittenFilesTests
{
    private const string Reference = "ghcr.io/acme/my-api@sha256:3ee9f5138fb0e9b63834ba39ecf6d141b7ea839f13b7f56bf6616f44e329ec4e";

    [Theory]
    [InlineData("    image: \"${MY_API_IMAGE}\"", $"    image: \"{Reference}\"")]
    [InlineData("MY_API_IMAGE=", $"MY_API_IMAGE={Reference}")]
    [InlineData("  my_api:\n    my_api_image: \"my-api:latest\"\n", $"  my_api:\n    my_api_image: \"{Reference}\"\n")]
    [InlineData("    my_api_image: my-api:latest", $"    my_api_image: {Reference}")]
    public void PlaceholdersBecomeReferences(string written, string pinned) =>
        Assert.Equal(pinned, WrittenFiles.Pin(written, "my-api", Reference));

    [Theory]
    [InlineData("    image: \"${OTHER_MY_API_IMAGE}\"")]
    [InlineData("      NOTE: \"${MY_API_IMAGE}\"")]
    [InlineData("MY_API_IMAGE=ghcr.io/acme/my-api:2")]
    [InlineData("# MY_API_IMAGE=")]
    [InlineData("    my_api_image: \"my-api:2\"")]
    [InlineData("    image: \"my-api:latest\"")]
    public void WhatSomebodyWroteStays(string written) => Assert.Equal(written, WrittenFiles.Pin(written, "my-api", Reference));

    [Fact]
    [ReliabilityCase(
        "Aspire",
        "an AppHost uses another minor version of Aspire than the one that `UseImagePublish` supports",
        "IMG1043 before anything is built, instead of a missing method in the middle of a deployment"
    )]
    public void AnotherVersionOfAspireIsAnErrorAtOnce()
    {
        SupportedAspire.Check(typeof(IDistributedApplicationBuilder).Assembly);

        var error = Assert.Throws<DistributedApplicationException>(() => SupportedAspire.Check(typeof(object).Assembly));

        Assert.StartsWith(
            "error IMG1043: UseImagePublish supports Aspire.Hosting 13.6, and this AppHost uses 10.0.",
            error.Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("/src/50% (new)/a;b.csproj", "/src/50%25 %28new%29/a%3Bb.csproj")]
    [InlineData("$(Secret)@*?'", "%24%28Secret%29%40%2A%3F%27")]
    public void TextsReachMSBuildAsTheyAre(string text, string escaped) => Assert.Equal(escaped, BuildFiles.Escape(text));
}
