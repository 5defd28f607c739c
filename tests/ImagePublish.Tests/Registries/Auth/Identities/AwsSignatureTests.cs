using System.Text;
using ImagePublish.Registries.Auth.Identities;

namespace ImagePublish.Tests.Registries.Auth.Identities;

/// <summary>The requests without path and query of AWS's published test suite for Signature Version 4.</summary>
public sealed class AwsSignatureTests
{
    private const string Session =
        "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";

    private static readonly DateTimeOffset Instant = new(2015, 8, 30, 12, 36, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("get-vanilla", "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")]
    [InlineData("post-vanilla", "host;x-amz-date", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b")]
    [InlineData("post-header-value-case", "host;my-header1;x-amz-date", "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d")]
    [InlineData(
        "get-header-value-trim",
        "host;my-header1;my-header2;x-amz-date",
        "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"
    )]
    [InlineData(
        "post-x-www-form-urlencoded",
        "content-type;host;x-amz-date",
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"
    )]
    [InlineData(
        "post-sts-header-before",
        "host;x-amz-date;x-amz-security-token",
        "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"
    )]
    public void TheSignatureIsThePublishedOne(string vector, string signedHeaders, string signature)
    {
        var headers = vector switch
        {
            "post-header-value-case" => [new("My-Header1", "VALUE1")],
            "get-header-value-trim" => [new("My-Header1", " value1"), new("My-Header2", "\"a   b   c\"")],
            "post-x-www-form-urlencoded" => [new("Content-Type", "application/x-www-form-urlencoded")],
            _ => Array.Empty<KeyValuePair<string, string>>(),
        };
        var request = new AwsRequest(vector.Split('-')[0].ToUpperInvariant(), "example.amazonaws.com", "us-east-1", "service")
        {
            Headers = headers,
            Body = Encoding.UTF8.GetBytes(vector == "post-x-www-form-urlencoded" ? "Param1=value1" : ""),
        };
        var session = vector == "post-sts-header-before" ? Session : null;
        var keys = new AwsKeys("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", session, "the test suite");

        var signed = AwsSignature.Sign(request, keys, Instant);

        Assert.Contains(new("X-Amz-Date", "20150830T123600Z"), signed);
        var authorization = signed.Single(header => header.Key == "Authorization").Value;
        Assert.Equal(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
                + $"SignedHeaders={signedHeaders}, Signature={signature}",
            authorization
        );
    }

    [Fact]
    public void KeysShowNoSecret() => Assert.Equal("AwsKeys { the test }", new AwsKeys("AKIA", "secret", "session", "the test").ToString());
}
