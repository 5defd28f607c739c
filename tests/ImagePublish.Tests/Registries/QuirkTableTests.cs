using System.Reflection;
using System.Text.RegularExpressions;
using ImagePublish.Registries;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Registries;

/// <summary>The table of registries' quirks is what the code handles.</summary>
public sealed partial class QuirkTableTests
{
    private static readonly string Core = Path.Combine(RepositoryRoot.Path, "src", "ImagePublish");

    private static readonly string[][] Rows =
    [
        .. File.ReadLines(Path.Combine(Core, "Registries", "quirks.md"))
            .Where(line => line.StartsWith("| ", StringComparison.Ordinal))
            .Skip(1)
            .Select(line => line.Trim('|', ' ').Split('|', StringSplitOptions.TrimEntries)),
    ];

    [Fact]
    public void EveryQuirkOfTheTableIsInTheCodeAndTheOtherWayRound()
    {
        var inCode = Directory
            .EnumerateFiles(Core, "*.cs", SearchOption.AllDirectories)
            .SelectMany(file => Mention().Matches(File.ReadAllText(file)))
            .Select(mention => mention.Groups[1].Value);

        Assert.Equal(Rows.Select(row => row[0]).Order(), inCode.Distinct().Order());
    }

    [Fact]
    public void EveryHandlerOfTheTableExists()
    {
        const BindingFlags Any =
            BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        var types = typeof(RegistryClient).Assembly.GetTypes();
        var missing = Rows.SelectMany(row => Handler().Matches(row[3]))
            .Where(handler =>
                !types.Any(type => type.Name == handler.Groups[1].Value && type.GetMember(handler.Groups[2].Value, Any).Length > 0)
            )
            .Select(handler => handler.Value);

        Assert.Empty(missing);
    }

    [Fact]
    public void EveryDialectWithARowHasItsName()
    {
        var known = RegistryDialects.All.Select(dialect => dialect.Name).Concat(["nginx", "S3", "Google Cloud Storage"]).ToHashSet();
        var unknown = Rows.Where(row => !row[2].StartsWith("some ", StringComparison.Ordinal) && !known.Contains(row[2]))
            .SelectMany(row => row[2].Split(", "))
            .Where(name => !known.Contains(name));

        Assert.Empty(unknown);
    }

    [GeneratedRegex(@"Quirk: ([a-z0-9-]+)")]
    private static partial Regex Mention();

    [GeneratedRegex(@"`(\w+)\.(\w+)`")]
    private static partial Regex Handler();
}
