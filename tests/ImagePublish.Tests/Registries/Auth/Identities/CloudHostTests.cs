using ImagePublish.Oci;
using ImagePublish.Registries.Auth.Identities;

namespace ImagePublish.Tests.Registries.Auth.Identities;

public sealed class CloudHostTests
{
    [Theory]
    [InlineData("acmeshop.azurecr.io", "Azure")]
    [InlineData("acmeshop-h7x2c4d8e0f1.azurecr.io", "Azure")]
    [InlineData("acmeshop.azurecr.us", "Azure")]
    [InlineData("acmeshop.azurecr.cn", "Azure")]
    [InlineData("123456789012.dkr.ecr.eu-west-1.amazonaws.com", "Amazon eu-west-1")]
    [InlineData("123456789012.dkr.ecr.us-gov-west-1.amazonaws.com", "Amazon us-gov-west-1")]
    [InlineData("123456789012.dkr.ecr-fips.us-east-1.amazonaws.com", "Amazon us-east-1 fips")]
    [InlineData("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "Amazon cn-north-1")]
    [InlineData("123456789012.dkr-ecr.eu-west-1.on.aws", "Amazon eu-west-1")]
    [InlineData("123456789012.dkr-ecr-fips.us-east-1.on.aws", "Amazon us-east-1 fips")]
    [InlineData("123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn", "Amazon cn-north-1")]
    [InlineData("public.ecr.aws", "Amazon us-east-1 public")]
    [InlineData("europe-west4-docker.pkg.dev", "Google")]
    [InlineData("us-docker.pkg.dev", "Google")]
    [InlineData("docker.me-central2.rep.pkg.dev", "Google")]
    [InlineData("gcr.io", "Google")]
    [InlineData("eu.gcr.io", "Google")]
    public void AHostOfACloudIsRecognised(string host, string expected)
    {
        var registry = Registry.Parse(host);

        Assert.True(CloudHost.IsCandidate(registry));
        Assert.Equal(expected, Describe(CloudHost.Find(registry)));
    }

    [Theory]
    [InlineData("acmeshop.azurecr.io.evil.example")]
    [InlineData("acmeshop.azurecr.io:8443")]
    [InlineData("acmeshop.evilhost.azurecr.io")]
    [InlineData("evil-azurecr.io")]
    [InlineData("azurecr.io")]
    [InlineData("acme.azurecr.io")]
    [InlineData("acmeshopazurecr.io")]
    [InlineData("acmeshop.azurecr.com")]
    [InlineData("123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.example")]
    [InlineData("123456789012.dkr.ecr.eu-west-1.amazonaws.com.cn")]
    [InlineData("123456789012.dkr.ecr.cn-north-1.amazonaws.com")]
    [InlineData("123456789012.dkr.ecr.eu-west-1.on.aws")]
    [InlineData("123456789012.dkr-ecr.eu-west-1.amazonaws.com")]
    [InlineData("12345678901.dkr.ecr.eu-west-1.amazonaws.com")]
    [InlineData("123456789012.dkr.ecr.evil.s3.amazonaws.com")]
    [InlineData("123456789012.dkr.ecr.evil.amazonaws.com")]
    [InlineData("123456789012.s3.eu-west-1.amazonaws.com")]
    [InlineData("public.ecr.aws.evil.example")]
    [InlineData("x.public.ecr.aws")]
    [InlineData("evil-docker.pkg.dev.example.com")]
    [InlineData("evil.pkg.dev")]
    [InlineData("us-npm.pkg.dev")]
    [InlineData("docker.evil.pkg.dev")]
    [InlineData("evilgcr.io")]
    [InlineData("a.b.gcr.io")]
    [InlineData("mirror.gcr.io")]
    [InlineData("gcr.io:443")]
    [InlineData("ghcr.io")]
    [InlineData("docker.io")]
    [InlineData("localhost:5000")]
    public void AnyOtherHostIsNone(string host) => Assert.Null(CloudHost.Find(Registry.Parse(host)));

    private static string Describe(CloudHost? host) =>
        host is null
            ? "none"
            : string.Join(
                ' ',
                new[] { $"{host.Cloud}", host.Region, host.IsFips ? "fips" : "", host.IsPublic ? "public" : "" }.Where(text =>
                    text.Length > 0
                )
            );
}
