using System.IO.Compression;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.Documentation;

/// <summary>What editors show of properties and items is in the package where they look for it.</summary>
public sealed class EditorSchemaTests(Peers peers)
{
    private const string Suffix = ".buildschema.json";

    [Theory]
    [InlineData("build")]
    [InlineData("buildTransitive")]
    [InlineData("buildMultiTargeting")]
    public async Task EachFolderThatNuGetImportsHasTheSchemaBesideTheTargetsThatItDescribes(string folder)
    {
        var package = await peers.PackageAsync();
        using var archive = await ZipFile.OpenReadAsync(package.File, TestContext.Current.CancellationToken);

        var schema = Assert.Single(archive.Entries, entry =>
            entry.FullName.StartsWith(folder + "/", StringComparison.Ordinal) && entry.Name.EndsWith(Suffix, StringComparison.Ordinal)
        );
        Assert.NotNull(archive.GetEntry(schema.FullName[..^Suffix.Length]));
    }
}
