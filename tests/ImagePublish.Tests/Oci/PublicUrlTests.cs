using ImagePublish.Common;

namespace ImagePublish.Tests.Oci;

/// <summary>What of an address everybody may see.</summary>
public sealed class PublicUrlTests
{
    [Theory]
    [InlineData("https://git.acme.com/x", "https://git.acme.com/x")]
    [InlineData("https://ci:s3cret@git.acme.com/x.git", "https://git.acme.com/x.git")]
    [InlineData("https://ci:s3cr%7Et@git.acme.com/x.git", "https://git.acme.com/x.git")]
    [InlineData("https://ci:s3crät@git.acme.com/x.git", "https://git.acme.com/x.git")]
    [InlineData("https://ci:s3 cret@git.acme.com/x.git", "https://git.acme.com/x.git")]
    [InlineData("https://ci:s3@cret@git.acme.com/x.git", "https://git.acme.com/x.git")]
    [InlineData("https://ci:s3/cret@git.acme.com/x.git", null)]
    [InlineData("https://ci:s3?cret@git.acme.com/x.git", null)]
    [InlineData("https://ci:12#cret@git.acme.com/x.git", null)]
    [InlineData("https://ci:12/cret@git.acme.com/x.git", null)]
    [InlineData("https://ci@acme.com:12/cret@git.acme.com/x.git", null)]
    [InlineData("https://to/ken@git.acme.com/x.git", null)]
    [InlineData("HTTPS://token@git.acme.com", "HTTPS://git.acme.com")]
    [InlineData("ssh://ci:s3cret@git.acme.com:22/x.git", "ssh://git.acme.com:22/x.git")]
    [InlineData("git+https://ci:s3cret@git.acme.com/x.git", "git+https://git.acme.com/x.git")]
    [InlineData("https://git.acme.com/x.git?private_token=s3cret", "https://git.acme.com/x.git")]
    [InlineData("https://git.acme.com/x#token=s3cret", "https://git.acme.com/x")]
    [InlineData("https://git.acme.com?private_token=s3cret@x", "https://git.acme.com")]
    [InlineData("https://www.example.com/package/@acme/x", "https://www.example.com/package/@acme/x")]
    [InlineData("https://ci:s3cret@[2001:db8::1]:8443/x", "https://[2001:db8::1]:8443/x")]
    [InlineData("git@git.acme.com:acme/x.git", "git.acme.com:acme/x.git")]
    [InlineData("ci:s3cret@git.acme.com:acme/x.git", "git.acme.com:acme/x.git")]
    [InlineData("ci:s3/cret@git.acme.com:acme/x.git", null)]
    [InlineData("git.acme.com/x?token=s3cret", "git.acme.com/x")]
    [InlineData("unix:///var/run/docker.sock", "unix:///var/run/docker.sock")]
    [InlineData("https://ci:s3cret@", null)]
    [InlineData("https://", null)]
    [InlineData("s3cret one", null)]
    [InlineData("https://git.acme.com/a\nb", null)]
    [InlineData("", null)]
    [ReliabilityCase(
        "Security",
        "passwords and tokens in RepositoryUrl, PackageProjectUrl or a package source, in every spelling and scheme",
        "not in labels, lock files or messages; an address that can't be parsed is omitted"
    )]
    public void UserInformationQueryAndFragmentAreCut(string address, string? expected) =>
        Assert.Equal(expected, PublicUrl.TryCreate(address));

    [Theory]
    [InlineData("see https://ci:s3cret@git.acme.com/x?y=s3cret, and ssh://ci:s3cret@h/.", "see https://git.acme.com/x, and ssh://h/.")]
    [InlineData("E: Failed to fetch http://ci:s3cret@127.0.0.1:80/a.deb  404", "E: Failed to fetch http://127.0.0.1:80/a.deb  404")]
    [InlineData("fatal: 'https://ci:s3/cret@git.acme.com/x': no", "fatal: 'https://…': no")]
    [InlineData("npipe:////./pipe/docker_engine", "npipe:////./pipe/docker_engine")]
    [InlineData("no address at all: a@b", "no address at all: a@b")]
    public void AMessageShowsNoSecretsOfAddresses(string text, string expected)
    {
        Assert.Equal(expected, PublicUrl.InText(text));
        Assert.Equal(expected, Text.Sanitize(text));
    }

    [Fact]
    public void ASecretIsCutOutBeforeAMessageIsShortened() =>
        Assert.DoesNotContain(
            "s3cret",
            Text.Sanitize($"{new string('x', 180)} https://ci:s3cret{new string('y', 30)}@git.acme.com/"),
            StringComparison.Ordinal
        );
}
