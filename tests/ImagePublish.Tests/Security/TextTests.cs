using ImagePublish.Common;

namespace ImagePublish.Tests.Security;

/// <summary>The one way of foreign text into messages.</summary>
public sealed class TextTests
{
    [Theory]
    [InlineData("plain, even with ünïcödé → and 🦀", "plain, even with ünïcödé → and 🦀")]
    [InlineData("a\nb\r\tc\0\e[31m\u007f\u0085", @"a\u000ab\u000d\u0009c\u0000\u001b[31m\u007f\u0085")]
    [InlineData("a\u2028b\u2029c", @"a\u2028b\u2029c")]
    [InlineData("\u202Egnp.exe \u2066x\u2069 \u061c", @"\u202egnp.exe \u2066x\u2069 \u061c")]
    [InlineData("a\u200bb\u200dc\u00add\ufeffe\u2060", @"a\u200bb\u200dc\u00add\ufeffe\u2060")]
    [InlineData("a\u034fb\u3164c\ufe0fd\ue000", @"a\u034fb\u3164c\ufe0fd\ue000")]
    [InlineData("tag \U000E0061", @"tag \udb40\udc61")]
    [InlineData("##vso[task.prependpath]/evil", "## vso[task.prependpath]/evil")]
    [InlineData("no ##[error]x ##VSO[a]b ##teamcity[c]", "no ## [error]x ## VSO[a]b ## teamcity[c]")]
    [InlineData("###vso[a]", "### vso[a]")]
    [InlineData("##\u200bvso[a]", @"##\u200bvso[a]")]
    [InlineData("::set-output name=a::b", ": :set-output name=a::b")]
    [InlineData(" \u00a0 ::warning::b", " \u00a0 : :warning::b")]
    [InlineData("a ::b:: ## Title [x]", "a ::b:: ## Title [x]")]
    [ReliabilityCase(
        "Security",
        "foreign text contains control, bidirectional, zero-width or ignorable characters, or CI commands",
        "the characters are shown as `\\uXXXX`, the commands with a space in them"
    )]
    public void ForeignTextIsMadeVisibleAndHarmless(string text, string shown)
    {
        Assert.Equal(shown, Text.Sanitize(text));
        Assert.Equal(shown, Text.Sanitize(shown));
        Hostile.AssertHarmless(Text.Lines(text).Replace('\n', ' '));
    }

    [Fact]
    public void HalfACharacterIsShownAsANumber() => Assert.Equal(@"a\ud83db", Text.Sanitize("a" + '\ud83d' + "b"));

    [Fact]
    public void NoLineOfSeveralIsACommand() => Assert.Equal("a\n : :b\n## vso[c]\\u000d\n", Text.Lines("a\r\n ::b\n##vso[c]\r\r\n"));

    [Theory]
    [InlineData(199, "🦀")]
    [InlineData(195, "##vso[task.x]")]
    public void WhatIsCutIsHarmlessToo(int before, string text)
    {
        var shown = Text.Sanitize(new string('x', before) + text);

        Hostile.AssertHarmless(shown);
        Assert.EndsWith("…", shown, StringComparison.Ordinal);
        Assert.DoesNotContain(@"\ud83e", shown, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatOthersSayOfHeadersAndWebTokensIsNotShown()
    {
        var redactor = new Redactor();

        Assert.Equal("sent Basic *** and", redactor.Redact("sent Basic dXNlcjpwYXNzd29yZC1vZi1zb21lYm9keQ== and"));
        Assert.Equal(
            "authorization: Bearer ***, ***",
            redactor.Redact("authorization: Bearer 0123456789abcdef0123, eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc")
        );
        Assert.Equal("Basic authentication is required", redactor.Redact("Basic authentication is required"));
    }

    [Theory]
    [InlineData("incorrect username or password", "incorrect username or password")]
    [InlineData("Wrong password. Password, password, again", "Wrong password. Password, password, again")]
    [InlineData("given: of-a-password", "given: ***")]
    [InlineData("given: canary-o", "given: ***")]
    public void AWordThatOccursInASecretIsNoSecret(string text, string redacted)
    {
        var redactor = new Redactor();
        redactor.Add("canary-of-a-password", "ci");

        Assert.Equal(redacted, redactor.Redact(text));
    }

    // All forms of it begin alike: what is found of one must not hide the rest from the others.
    [Theory]
    [InlineData("the password variable/ca+nä ry:%=&0123456789abcdef0123456789abcdef.", "the password ***.")]
    [InlineData("[0123456789abcdef0123456789abcdef]", "[***]")]
    [InlineData("[variable%2Fca%2]", "[***]")]
    public void AnyPieceOfASecretIsTakenOut(string text, string redacted)
    {
        var redactor = new Redactor();
        redactor.Add("variable/ca+nä ry:%=&0123456789abcdef0123456789abcdef", "variable-user");

        Assert.Equal(redacted, redactor.Redact(text));
    }

    [Fact]
    public void TheLongerOfTwoSecretsIsTakenOutWhole()
    {
        var redactor = new Redactor();
        redactor.Add("a-secret");
        redactor.Add("a-secret-with-more");

        Assert.Equal("***", redactor.RedactMessage("a-secret-with-more"));
    }

    [Fact]
    public void MessagesOfOursLoseLongSecretsOnly()
    {
        var redactor = new Redactor();
        redactor.Add("app");
        redactor.Add("a-long-secret", "ci");

        Assert.Equal("app: *** ***", redactor.RedactMessage("app: a-long-secret " + Convert.ToBase64String("ci:a-long-secret"u8)));
    }
}
