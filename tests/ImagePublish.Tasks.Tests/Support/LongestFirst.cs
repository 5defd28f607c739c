using ImagePublish.Tasks.Tests.Support;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(LongestFirst))]

namespace ImagePublish.Tasks.Tests.Support;

/// <summary>Begins with the classes that take minutes, so that no core waits for the last of them at the end.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Long = ["ReadmePageTests", "RecipesPageTests", "TourPageTests", "OtherPagesTests", "SamplesTests"];

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [
            .. testCollections
                .OrderBy(collection => Rank(collection.TestCollectionDisplayName))
                .ThenBy(collection => collection.TestCollectionDisplayName, StringComparer.Ordinal),
        ];

    private static int Rank(string collection)
    {
        var place = Array.FindIndex(Long, name => collection.Contains($".{name}", StringComparison.Ordinal));
        return place < 0 ? Long.Length : place;
    }
}
