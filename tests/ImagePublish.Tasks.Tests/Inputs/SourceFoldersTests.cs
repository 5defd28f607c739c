namespace ImagePublish.Tasks.Tests.Inputs;

/// <summary>Where a published file comes from, by its folder.</summary>
public sealed class SourceFoldersTests
{
    private static readonly SourceFolders Folders = new(
        ["/home/me/.nuget/packages/", "/opt/fallback"],
        ["/src/App/obj/", "/src/App/bin/", "/out"]
    );

    [Theory]
    [InlineData("/home/me/.nuget/packages/some.data/1.2.0/contentFiles/any/any/words.txt", "some.data", "1.2.0")]
    [InlineData("/opt/fallback/Some.Data/2.0.0-rc.1/words.txt", "Some.Data", "2.0.0-rc.1")]
    public void AFileOfAPackageIsKnown(string file, string id, string version) => Assert.Equal((id, version), Folders.PackageOf(file));

    [Theory]
    [InlineData("/home/me/.nuget/packages/stray.txt")]
    [InlineData("/home/me/.nuget/packages/some.data/stray.txt")]
    [InlineData("/home/me/.nuget/packages-of-ours/some.data/1.2.0/words.txt")]
    [InlineData("/src/App/packages/some.data/1.2.0/words.txt")]
    public void OtherFilesAreOfNone(string file) => Assert.Null(Folders.PackageOf(file));

    [Theory]
    [InlineData("/src/App/obj/Release/net10.0/App.dll", true)]
    [InlineData("/src/App/bin/Release/net10.0/App.deps.json", true)]
    [InlineData("/out/App", true)]
    [InlineData("/src/App/data/words.txt", false)]
    [InlineData("/src/App/binaries/words.txt", false)]
    [InlineData("/src/Library/obj.txt", false)]
    public void WhatABuildMadeLiesWhereBuildsWriteTo(string file, bool isBuilt) => Assert.Equal(isBuilt, Folders.IsBuilt(file));
}
