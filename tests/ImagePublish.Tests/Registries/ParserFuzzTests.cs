using System.Text;
using CsCheck;
using ImagePublish.Common;
using ImagePublish.Http;
using ImagePublish.Registries;
using ImagePublish.Registries.Blobs;
using ImagePublish.Registries.Connection;

namespace ImagePublish.Tests.Registries;

/// <summary>What other machines send is read without a crash, and what is read can be trusted.</summary>
public sealed class ParserFuzzTests
{
    private const long Count = 100_000;

    private static readonly RequestUrl From = new("https", "registry.example.com", "/v2/acme/shop/blobs/uploads/1?_state=a%2Bb");

    // Pieces that mean something to a parser, between arbitrary text.
    private static readonly Gen<string> Pieces = Gen.OneOf(
            OneOf(
                "http",
                "https",
                ":",
                "//",
                "/",
                "?",
                "#",
                "..",
                ".",
                "%2B",
                "%7E",
                "%zz",
                "@",
                "[",
                "]",
                "[::1]",
                ":443",
                ":80",
                ":99999",
                "\\",
                "\r\n",
                " ",
                "é",
                "example.com",
                "registry.example.com",
                "a=b&c"
            ),
            OneOf(
                "<",
                ">",
                ";",
                ",",
                "rel",
                "=",
                "\"",
                "next",
                "rel=next",
                "\\\"",
                "0-",
                "bytes=",
                "-",
                "9223372036854775807",
                "99999999999999999999",
                "1",
                "0"
            ),
            Gen.String[0, 6]
        )
        .Array[0, 12]
        .Select(string.Concat);

    private static Gen<string> OneOf(params string[] texts) => Gen.Int[0, texts.Length - 1].Select(index => texts[index]);

    [Fact]
    public void AnyLocationIsRefusedOrKeptByteForByte() =>
        Pieces.Sample(
            text =>
            {
                if (!From.TryResolve(text, out var url))
                    return;
                Assert.Matches("^https?$", url.Scheme);
                Assert.DoesNotContain('@', url.Authority);
                Assert.StartsWith("/", url.PathAndQuery, StringComparison.Ordinal);
                Assert.Equal(url.PathAndQuery, url.ToUri().PathAndQuery);
                Assert.Equal(url.Scheme, url.ToUri().Scheme);
                Assert.True(url.IsSameOrigin(url with { PathAndQuery = "/" }));
                Assert.Equal(url.Authority.Split(':')[0], url.ToUri().Authority.Split(':')[0]);
                var query = text.Split('#')[0].IndexOf('?', StringComparison.Ordinal);
                if (query >= 0)
                    Assert.EndsWith(text.Split('#')[0][query..], url.PathAndQuery, StringComparison.Ordinal);
            },
            iter: Count
        );

    [Fact]
    public void AnyLinkIsReadWithoutHarm() => Pieces.Sample(text => _ = LinkHeader.Next([text]), iter: Count);

    [Fact]
    public void ALinkIsFoundAmongOthers() =>
        Gen.Select(Gen.String[Gen.Char['!', '~'], 0, 20], Gen.Bool, Gen.Bool)
            .Sample(
                (noise, quoted, first) =>
                {
                    var other = $"<{noise.Replace(">", "", StringComparison.Ordinal)}>; title=\"a, b; rel=next\"; rel=prev";
                    var next = $"</v2/x?n=1&last=a%2Bb,c>; rel={(quoted ? "\"next\"" : "next")}";
                    return LinkHeader.Next([first ? $"{next}, {other}" : $"{other},{next}"]) == "/v2/x?n=1&last=a%2Bb,c";
                },
                iter: 10_000
            );

    [Fact]
    public void AnyRangeIsRefusedOrPlausible() => Pieces.Sample(text => UploadRange.Parse(text) is null or >= 0, iter: Count);

    [Theory]
    [InlineData("0-99", 100L)]
    [InlineData("bytes=0-99", 100L)]
    [InlineData("bytes 0-99", 100L)]
    [InlineData("0-0", 0L)]
    [InlineData("1-99", null)]
    [InlineData("0-", null)]
    [InlineData("", null)]
    public void ARangeMeansTheBytesThatAreThere(string text, long? expected) => Assert.Equal(expected, UploadRange.Parse(text));

    [Fact]
    public void AnyRetryAfterIsRefusedOrPlausible() =>
        Pieces.Sample(
            text => RetryAfterHeader.Parse(text, DateTimeOffset.UnixEpoch) is null or { Ticks: >= 0, TotalDays: <= 365 },
            iter: Count
        );

    [Fact]
    public void AnyErrorBodyBecomesOneLine() =>
        Gen.Select(
                Pieces,
                OneOf(
                    "{0}",
                    "{{\"errors\":[{0}]}}",
                    "{{\"errors\":[{{\"code\":\"{0}\",\"message\":\"{0}\",\"detail\":{0}}}]}}",
                    "<title>{0}</title>",
                    "[{0}]"
                )
            )
            .Sample(
                (text, shape) =>
                {
                    var errors = RegistryErrors.Parse(
                        Encoding.UTF8.GetBytes(
                            shape
                                .Replace("{{", "{", StringComparison.Ordinal)
                                .Replace("}}", "}", StringComparison.Ordinal)
                                .Replace("{0}", text, StringComparison.Ordinal)
                        ),
                        "application/json",
                        new Redactor()
                    );
                    return !errors.Text.Contains('\n', StringComparison.Ordinal) && errors.Text.Length < 2000;
                },
                iter: Count
            );

    [Theory]
    [InlineData("/a?b=%2B", "https://registry.example.com/a?b=%2B")]
    [InlineData("?x=1", "https://registry.example.com/v2/acme/shop/blobs/uploads/1?x=1")]
    [InlineData("2?x=1", "https://registry.example.com/v2/acme/shop/blobs/uploads/2?x=1")]
    [InlineData("../2", "https://registry.example.com/v2/acme/shop/blobs/2")]
    [InlineData("../../../../../../2", "https://registry.example.com/2")]
    [InlineData("//other.example.com/a", "https://other.example.com/a")]
    [InlineData("HTTPS://Registry.Example.com:443/a#fragment", "https://registry.example.com/a")]
    [InlineData("http://other.example.com:8080?q", "http://other.example.com:8080/?q")]
    [InlineData("https://user:password@registry.example.com/a", null)]
    [InlineData("ftp://registry.example.com/a", null)]
    [InlineData("https:///a", null)]
    [InlineData("https://a b/", null)]
    [InlineData("/a\r\nHost: evil", null)]
    [InlineData("", null)]
    public void ALocationIsResolved(string location, string? expected)
    {
        var isResolved = From.TryResolve(location, out var url);

        Assert.Equal(expected, isResolved ? $"{url!.Scheme}://{url.Authority}{url.PathAndQuery}" : null);
    }
}
