using System.Text.Json;
using System.Xml.Linq;

namespace ImagePublish.Tasks.Tests.Documentation;

/// <summary>What a page writes into a project file: put into the reader's, and asked of MSBuild.</summary>
public static class ProjectSnippet
{
    /// <summary>
    /// Demands that MSBuild reads what the page says: each property's value, each item with its metadata. A later piece's property replaces
    /// an earlier one's.
    /// </summary>
    public static async Task CheckAsync(
        IReadOnlyList<string> pieces,
        bool isKept,
        Sandbox sandbox,
        IReadOnlyDictionary<string, string> variables,
        CancellationToken cancellationToken
    )
    {
        var file = Directory.GetFiles(sandbox.Folder, "*.csproj").Single();
        var (text, time) = (await File.ReadAllTextAsync(file, cancellationToken), File.GetLastWriteTimeUtc(file));
        var groups = pieces.SelectMany(Parse).ToList();
        AddTo(file, groups);
        using var read = await EvaluateAsync(groups, sandbox, variables, cancellationToken);
        if (!isKept)
        {
            await File.WriteAllTextAsync(file, text, cancellationToken);
            File.SetLastWriteTimeUtc(file, time);
        }

        foreach (
            var property in Members(groups, "PropertyGroup").GroupBy(property => property.Name.LocalName).Select(group => group.Last())
        )
        {
            // What refers to other properties has their values in it.
            var value = read.RootElement.GetProperty("Properties").GetProperty(property.Name.LocalName).GetString();
            Assert.True(value == property.Value || property.Value.Contains("$(", StringComparison.Ordinal), $"{property}: {value}");
        }

        foreach (var item in Members(groups, "ItemGroup"))
            Assert.True(
                read.RootElement.GetProperty("Items").GetProperty(item.Name.LocalName).EnumerateArray().Any(one => IsSame(item, one)),
                $"{item}: {read.RootElement}"
            );
    }

    private static async Task<JsonDocument> EvaluateAsync(
        List<XElement> groups,
        Sandbox sandbox,
        IReadOnlyDictionary<string, string> variables,
        CancellationToken cancellationToken
    )
    {
        string[] queries =
        [
            .. Members(groups, "PropertyGroup")
                .Select(property => $"-getProperty:{property.Name}")
                .Append("-getProperty:MSBuildProjectName")
                .Append("-getProperty:TargetFramework")
                .Distinct(),
            .. Members(groups, "ItemGroup").Select(item => $"-getItem:{item.Name}").Distinct(),
        ];
        return JsonDocument.Parse(await sandbox.TypeAsync($"dotnet msbuild {string.Join(' ', queries)}", cancellationToken, variables));
    }

    // A package that is referenced already is not referenced twice.
    private static void AddTo(string file, List<XElement> groups)
    {
        var project = XDocument.Load(file);
        foreach (var group in groups)
        {
            var added = new XElement(group);
            added
                .Elements("PackageReference")
                .Where(reference => project.Descendants("PackageReference").Any(known => Include(known) == Include(reference)))
                .Remove();
            project.Root!.Add(added);
        }

        project.Save(file);
    }

    // A pattern's items have names of their own.
    private static bool IsSame(XElement written, JsonElement read) =>
        (
            Include(written).Contains('*', StringComparison.Ordinal)
            || Include(written).Split(';').Contains(read.GetProperty("Identity").GetString())
        )
        && written
            .Attributes()
            .Where(attribute => attribute.Name.LocalName is not ("Include" or "Exclude"))
            .All(attribute => read.TryGetProperty(attribute.Name.LocalName, out var value) && value.GetString() == attribute.Value);

    // Groups and targets as they are, and single properties and items in groups of their own.
    private static IEnumerable<XElement> Parse(string xml) =>
        XElement
            .Parse($"<Project>{xml}</Project>")
            .Elements()
            .Select(element =>
                element.Name.LocalName.EndsWith("Group", StringComparison.Ordinal) || element.Name.LocalName == "Target"
                    ? element
                    : new XElement(element.Attribute("Include") is null ? "PropertyGroup" : "ItemGroup", element)
            );

    private static IEnumerable<XElement> Members(List<XElement> groups, string kind) =>
        groups.Where(group => group.Name == kind).Elements();

    private static string Include(XElement item) => item.Attribute("Include")!.Value;
}
