using ImagePublish.Layers;

namespace ImagePublish.Tests.Layers;

/// <summary>The folders above paths are found, once each, whatever the order of the paths.</summary>
public sealed class ParentFolderTests
{
    [Fact]
    public void EachFolderIsFoundOnce()
    {
        string[] paths = ["top", "a/b/one", "a/b/two", "a/bc/three", "a/b/c/d/four", "a/five", "ab/six", "a/b/seven"];

        var expected = paths.SelectMany(LayerPath.ParentsOf).Distinct().Order(StringComparer.Ordinal).ToList();

        Assert.Equal(["a", "a/b", "a/b/c", "a/b/c/d", "a/bc", "ab"], expected);
        Assert.Equal(expected, LayerPath.ParentsOf(paths).Order(StringComparer.Ordinal));
        Assert.Equal(expected, LayerPath.ParentsOf(paths.Reverse()).Order(StringComparer.Ordinal));
    }
}
