using ImagePublish.Images;
using ImagePublish.Oci;

namespace ImagePublish.Tests.Images;

/// <summary>Of what packages bring for many systems, which is certain to be of no use in an image.</summary>
public sealed class RuntimeIdentifierTests
{
    [Theory]
    [InlineData("win-x64")]
    [InlineData("win10-x86")]
    [InlineData("osx")]
    [InlineData("osx-arm64")]
    [InlineData("maccatalyst-x64")]
    [InlineData("browser-wasm")]
    [InlineData("linux-arm64")]
    [InlineData("linux-musl-arm64")]
    [InlineData("linux-s390x")]
    [InlineData("linux-bionic-x64")]
    [InlineData("ubuntu.22.04-arm64")]
    public void WhatIsForAnotherSystemIsForeignToALinuxImage(string runtimeIdentifier) =>
        Assert.True(RuntimeIdentifier.IsForeign(runtimeIdentifier, new Platform("linux", "amd64")));

    // A base decides which C library there is, and of a system nobody knows it is not said that it is another.
    [Theory]
    [InlineData("linux-x64")]
    [InlineData("linux-musl-x64")]
    [InlineData("alpine-x64")]
    [InlineData("debian.12-x64")]
    [InlineData("linux")]
    [InlineData("linux-musl")]
    [InlineData("unix")]
    [InlineData("any")]
    [InlineData("plan9-x64")]
    [InlineData("")]
    public void WhatMayBeLoadedIsNot(string runtimeIdentifier) =>
        Assert.False(RuntimeIdentifier.IsForeign(runtimeIdentifier, new Platform("linux", "amd64")));

    [Theory]
    [InlineData("win-x64", false)]
    [InlineData("win", false)]
    [InlineData("win-arm64", true)]
    [InlineData("linux-x64", true)]
    [InlineData("unix", true)]
    public void AWindowsImageUsesWhatIsForWindows(string runtimeIdentifier, bool isForeign) =>
        Assert.Equal(isForeign, RuntimeIdentifier.IsForeign(runtimeIdentifier, new Platform("windows", "amd64")));
}
