using System.Diagnostics;
using ImagePublish.Policies;

namespace ImagePublish.Tests.Policies;

public sealed class PathPatternsTests
{
    [Theory]
    [InlineData("*.pfx", "/app/certs/dev.pfx", true)]
    [InlineData("*.pfx", "/app/dev.pfx.txt", false)]
    [InlineData("certs/dev.pfx", "/app/certs/dev.pfx", true)]
    [InlineData("certs/dev.pfx", "/app/oldcerts/dev.pfx", false)]
    [InlineData("/app/certs/*", "/app/certs/dev.pfx", true)]
    [InlineData("/app/certs/*", "/app/certs/old/dev.pfx", false)]
    [InlineData("/app/certs/**", "/app/certs/old/dev.pfx", true)]
    [InlineData("/app/**/*.cs", "/app/a.cs", true)]
    [InlineData("/app/**/*.cs", "/app/a/b/c.cs", true)]
    [InlineData("/app/**/*.cs", "/opt/a.cs", false)]
    [InlineData("**", "/anything", true)]
    [InlineData("?.txt", "/app/a.txt", true)]
    [InlineData("?.txt", "/app/ab.txt", false)]
    [InlineData("a+b(c).txt", "/app/a+b(c).txt", true)]
    [InlineData(@"certs\dev.pfx", "/app/certs/dev.pfx", true)]
    [InlineData("/app/Dev.pfx", "/app/dev.pfx", false)]
    public void APatternMatchesPathsOfTheImage(string pattern, string path, bool matches) =>
        Assert.Equal(matches, new PathPatterns([pattern]).Match(path));

    [Fact]
    public void APatternCantMakeABuildSlow()
    {
        var clock = Stopwatch.StartNew();

        Assert.False(new PathPatterns([string.Concat(Enumerable.Repeat("**/*a", 12)) + "!"]).Match("/" + new string('a', 4000)));

        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20), $"{clock.Elapsed}");
    }
}
