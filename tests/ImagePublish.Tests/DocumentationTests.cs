using System.Text.RegularExpressions;
using System.Xml.Linq;
using ImagePublish.Diagnostics;

namespace ImagePublish.Tests;

/// <summary>Keeps the documentation true.</summary>
public sealed partial class DocumentationTests
{
    private static readonly string Root = RepositoryRoot.Path;

    [Fact]
    public void EveryCodeIsExplainedUnderItsAnchor()
    {
        var troubleshooting = File.ReadAllText(Path.Combine(Root, "docs", "troubleshooting.md"));

        Assert.All(DiagnosticCodes.All, code =>
            Assert.Contains($"<a id=\"{code.Anchor}\"></a>\n\n### {code.Id}: {code.Title}\n\n", troubleshooting, StringComparison.Ordinal)
        );
    }

    [Fact]
    public void EveryErrorOfTheTargetsLinksToItsExplanation()
    {
        var errors = Directory
            .EnumerateFiles(Path.Combine(Root, "build"), "*.targets")
            .SelectMany(file => XDocument.Load(file).Descendants("Error"))
            .ToList();

        Assert.NotEmpty(errors);
        Assert.All(errors, error =>
            Assert.Equal($"$(_ImageHelpPage)#{error.Attribute("Code")!.Value.ToLowerInvariant()}", error.Attribute("HelpLink")?.Value)
        );
    }

    [Fact]
    public void EveryPropertyThatTheTasksReadIsDescribed()
    {
        var page = File.ReadAllText(Path.Combine(Root, "docs", "properties.md"));
        var targets = Directory
            .EnumerateFiles(Path.Combine(Root, "build"))
            .SelectMany(file => TaskProperty().Matches(File.ReadAllText(file)).Select(match => match.Groups[1].Value));

        Assert.All(targets.Distinct(), property => Assert.Contains($"`{property}`", page, StringComparison.Ordinal));
    }

    [Fact]
    public void EveryMemberThatTheTourOfTheCodeNamesExists()
    {
        var sources = SourceTree.Files("src", "*.cs").Select(File.ReadAllText).ToList();
        var names = MemberName().Matches(File.ReadAllText(Path.Combine(Root, "docs", "architecture.md")));

        Assert.All(names, name =>
        {
            var declaration = new Regex($@"\b(class|record|struct|interface|enum) {name.Groups["type"].Value}\b");
            var member = new Regex($@"\b{name.Groups["member"].Value}\b");
            Assert.Contains(sources, source => declaration.IsMatch(source) && member.IsMatch(source));
        });
        Assert.True(names.Count > 20);
    }

    [Fact]
    public void EveryLinkBetweenPagesLeadsSomewhere()
    {
        var pages = Directory.EnumerateFiles(Path.Combine(Root, "docs"), "*.md").Append(Path.Combine(Root, "README.md"));
        var links =
            from page in pages
            from Match link in PageLink().Matches(File.ReadAllText(page))
            select Path.Combine(Path.GetDirectoryName(page)!, link.Groups[1].Value);

        Assert.All(links, link => Assert.True(File.Exists(link) || Directory.Exists(link), link));
    }

    [Fact]
    public void EveryCommandNamesTargetsAndPropertiesThatThereAre()
    {
        var build = string.Concat(Directory.EnumerateFiles(Path.Combine(Root, "build")).Select(File.ReadAllText));
        var properties = File.ReadAllText(Path.Combine(Root, "docs", "properties.md"));
        string[] folders = ["docs", "samples"];
        var pages = folders.SelectMany(folder => SourceTree.Files(folder, "*.md")).Append(Path.Combine(Root, "README.md"));
        var commands = pages
            .SelectMany(page => Fence().Matches(File.ReadAllText(page).ReplaceLineEndings("\n")))
            .SelectMany(fence => fence.Value.Split('\n'))
            .Where(line => line.Contains("dotnet ", StringComparison.Ordinal))
            .ToList();

        Assert.All(commands.SelectMany(command => CommandTarget().Matches(command)), target =>
            Assert.Contains($"<Target Name=\"{target.Groups[1].Value}\"", build, StringComparison.Ordinal)
        );
        Assert.All(commands.SelectMany(command => CommandProperty().Matches(command)), property =>
            Assert.Contains($"| `{property.Groups[1].Value}` |", properties, StringComparison.Ordinal)
        );
        Assert.True(commands.Count > 40);
    }

    [GeneratedRegex(@"^```\w+\n.*?^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();

    [GeneratedRegex(@"-t:(\w*Image\w*)")]
    private static partial Regex CommandTarget();

    [GeneratedRegex(@"-p:(Image\w+|PublishImage)=")]
    private static partial Regex CommandProperty();

    [GeneratedRegex(@"=""\$\((Image[A-Z]\w+)\)""")]
    private static partial Regex TaskProperty();

    [GeneratedRegex(@"`(?<type>[A-Z]\w+)\.(?<member>[A-Z]\w+)(\(.*?\))?`")]
    private static partial Regex MemberName();

    [GeneratedRegex(@"\]\((?!https?:|#)([^)#]+)")]
    private static partial Regex PageLink();
}
