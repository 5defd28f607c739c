using ImagePublish.Sboms;

namespace ImagePublish.Tests.Sboms;

/// <summary>Only licence expressions that SPDX knows get into a document.</summary>
public sealed class LicenseExpressionTests
{
    [Theory]
    [InlineData("MIT", "MIT")]
    [InlineData("mit", "MIT")]
    [InlineData("Apache-2.0 OR MPL-2.0", "Apache-2.0 OR MPL-2.0")]
    [InlineData("(MIT  AND (BSD-3-Clause OR ISC))", "(MIT AND (BSD-3-Clause OR ISC))")]
    [InlineData("GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0")]
    [InlineData("GPL-2.0+", "GPL-2.0+")]
    [InlineData("Apache-1.1+", "Apache-1.1+")]
    [InlineData("", null)]
    [InlineData(null, null)]
    [InlineData("Custom", null)]
    [InlineData("MIT OR", null)]
    [InlineData("MIT MIT", null)]
    [InlineData("(MIT", null)]
    [InlineData("MIT)", null)]
    [InlineData("()", null)]
    [InlineData("MIT or ISC", null)]
    [InlineData("MIT WITH MIT", null)]
    [InlineData("LicenseRef-Own", null)]
    [InlineData("MIT\" OR <b>", null)]
    public void AnExpressionIsValidOrIgnored(string? text, string? expected) =>
        Assert.Equal(expected, LicenseExpression.TryNormalize(text));

    [Fact]
    public void DepthAndLengthAreLimited()
    {
        Assert.Null(LicenseExpression.TryNormalize(new string('(', 400) + "MIT" + new string(')', 400)));
        Assert.Null(LicenseExpression.TryNormalize(string.Join(" OR ", Enumerable.Repeat("MIT", 1000))));
    }
}
