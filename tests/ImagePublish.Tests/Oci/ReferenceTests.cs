using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Tests.Oci;

public sealed class ReferenceTests
{
    private const string Hash = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Theory]
    [InlineData("nginx", "docker.io/library/nginx:latest")]
    [InlineData("nginx:1.27", "docker.io/library/nginx:1.27")]
    [InlineData("library/nginx", "docker.io/library/nginx:latest")]
    [InlineData("sixeyed/tweet-app:v1", "docker.io/sixeyed/tweet-app:v1")]
    [InlineData("index.docker.io/nginx", "docker.io/library/nginx:latest")]
    [InlineData("registry-1.docker.io/a/b", "docker.io/a/b:latest")]
    [InlineData("localhost/app", "localhost/app:latest")]
    [InlineData("localhost:5000/app:1", "localhost:5000/app:1")]
    [InlineData("[::1]:5000/app", "[::1]:5000/app:latest")]
    [InlineData("[fe80::1]/app:x", "[fe80::1]/app:x")]
    [InlineData("GHCR.io/acme/shop:V1", "ghcr.io/acme/shop:V1")]
    [InlineData("myacr.azurecr.io/a/b/c.d__e--f:1_2", "myacr.azurecr.io/a/b/c.d__e--f:1_2")]
    [InlineData("ghcr.io/a/b@" + Hash, "ghcr.io/a/b@" + Hash)]
    [InlineData("ghcr.io/a/b:1.0@" + Hash, "ghcr.io/a/b:1.0@" + Hash)]
    [InlineData("app:5000", "docker.io/library/app:5000")]
    public void ReadsWhatDockerReads(string text, string canonical)
    {
        var reference = Reference.Parse(text);

        Assert.Equal(canonical, reference.ToString());
        Assert.Equal(reference, Reference.Parse(reference.ToString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" nginx")]
    [InlineData("nginx:")]
    [InlineData("nginx:-x")]
    [InlineData("nginx@sha256:abc")]
    [InlineData("nginx@")]
    [InlineData("https://ghcr.io/a/b")]
    [InlineData("ghcr.io/A/b")]
    [InlineData("ghcr.io/")]
    [InlineData("ghcr.io//b")]
    [InlineData("a..b")]
    [InlineData("a___b")]
    [InlineData("-a")]
    [InlineData("localhost:0/a")]
    [InlineData("localhost:65536/a")]
    [InlineData("[::1/a")]
    [InlineData("[::1%25eth0]/a")]
    [InlineData("a/b:c:d")]
    [InlineData("ghcr.io/../../etc/passwd")]
    [InlineData("a/b\n")]
    [InlineData("user:secret@ghcr.io/a/b")]
    public void RefusesWhatIsNoReference(string text)
    {
        var exception = Assert.Throws<ImagePublishException>(() => Reference.Parse(text));

        Assert.Equal(DiagnosticCodes.InvalidReference, exception.Code);
        Assert.DoesNotContain('\n', exception.Message);
    }

    [Fact]
    public void ANameMayHave255CharactersAndNoMore()
    {
        var longest = "ghcr.io/" + new string('a', 247);

        Assert.Equal(longest, Reference.Parse(longest).Repository.ToString());
        Assert.False(Reference.TryParse(longest + "a", out _, out _));
    }

    [Fact]
    public void TheDigestDecidesWhereBothAreGiven() => Assert.Equal(Hash, Reference.Parse("a:1@" + Hash).Identifier);

    [Theory]
    [InlineData("docker.io", "registry-1.docker.io", false)]
    [InlineData("localhost:5000", "localhost:5000", true)]
    [InlineData("127.0.0.1:5000", "127.0.0.1:5000", true)]
    [InlineData("[::1]", "[::1]", true)]
    [InlineData("localhost.example", "localhost.example", false)]
    [InlineData("example.org:443", "example.org:443", false)]
    public void ARegistryKnowsItsApiHostAndWhetherItIsHere(string text, string apiHost, bool isLoopback)
    {
        var registry = Registry.Parse(text);

        Assert.Equal(apiHost, registry.ApiHost);
        Assert.Equal(isLoopback, registry.IsLoopback);
    }
}
