using ImagePublish.Diagnostics;
using ImagePublish.Images;

namespace ImagePublish.Tests.Images;

public sealed class DotNetAppTests
{
    [Theory]
    [InlineData("linux-x64", "linux/amd64", false)]
    [InlineData("linux-musl-arm64", "linux/arm64", true)]
    [InlineData("alpine.3.20-x64", "linux/amd64", true)]
    [InlineData("linux-arm", "linux/arm/v7", false)]
    [InlineData("debian.12-x86", "linux/386", false)]
    [InlineData("win-x64", "windows/amd64", false)]
    [InlineData("linux-riscv64", "linux/riscv64", false)]
    public void ARuntimeIdentifierStandsForAPlatform(string text, string platform, bool isMusl)
    {
        var runtimeIdentifier = RuntimeIdentifier.Parse(text);

        Assert.Equal(platform, runtimeIdentifier.Platform.ToString());
        Assert.Equal(isMusl, runtimeIdentifier.IsMusl);
    }

    [Theory]
    [InlineData("osx-arm64")]
    [InlineData("linux")]
    [InlineData("")]
    [InlineData("linux-z80")]
    public void ARuntimeIdentifierWithoutImagesIsAnError(string text) =>
        Assert.Equal(DiagnosticCodes.InvalidPlatform, Assert.Throws<ImagePublishException>(() => RuntimeIdentifier.Parse(text)).Code);

    // What ComputeDotnetBaseImageAndTag of SDK 10.0.401 answers.
    [Theory]
    [InlineData("11.0.100-preview.3.25201.16", "11.0", "11.0.0-preview.3")]
    [InlineData("11.0.100-rc.1.25451.107", "11.0", "11.0.0-rc.1")]
    [InlineData("11.0.100-preview.3.25201.16", "10.0", "10.0")]
    [InlineData("11.0.100-alpha.1.25620.101", "11.0", "11.0-preview")]
    [InlineData("11.0.100-dev", "11.0", "11.0-preview")]
    [InlineData("11.0.100-ci", "11.0", "11.0-preview")]
    [InlineData("11.0.100-rtm.25513.102", "11.0", "11.0")]
    [InlineData("11.0.200-preview.1.2", "11.0", "11.0")]
    [InlineData("11.0.100", "11.0", "11.0")]
    [InlineData("10.0.400-servicing.1", "10.0", "10.0")]
    [ReliabilityCase(
        "Base images",
        "the SDK is a preview of the framework that the app targets",
        "the base is the same preview, as in the SDK's own container support"
    )]
    public void APreviewOfTheFrameworkHasTheTagOfItsPreview(string sdk, string framework, string tag)
    {
        var app = new DotNetApp
        {
            RuntimeIdentifier = RuntimeIdentifier.Parse("linux-x64"),
            FrameworkVersion = framework,
            SdkVersion = sdk,
            AssemblyName = "App",
        };

        Assert.EndsWith($"/runtime:{tag}", app.DefaultBase(null).ToString(), StringComparison.Ordinal);
        Assert.EndsWith(
            $"/runtime-deps:{tag}-noble-chiseled-extra",
            (app with { IsAot = true }).DefaultBase(null).ToString(),
            StringComparison.Ordinal
        );
    }

    public static TheoryData<object, string?, string> DefaultBases()
    {
        var console = new DotNetApp
        {
            RuntimeIdentifier = RuntimeIdentifier.Parse("linux-x64"),
            FrameworkVersion = "10.0",
            AssemblyName = "App",
        };
        var musl = RuntimeIdentifier.Parse("linux-musl-x64");
        return new TheoryData<object, string?, string>
        {
            { console, null, "runtime:10.0" },
            { console with { UsesAspNet = true }, null, "aspnet:10.0" },
            { console with { UsesAspNet = true, IsSelfContained = true }, null, "runtime-deps:10.0" },
            { console with { RuntimeIdentifier = musl }, null, "runtime:10.0-alpine" },
            { console with { UsesAspNet = true }, "noble-chiseled", "aspnet:10.0-noble-chiseled" },
            { console with { IsAot = true }, null, "runtime-deps:10.0-noble-chiseled-extra" },
            { console with { IsAot = true, IsGlobalizationInvariant = true }, null, "runtime-deps:10.0-noble-chiseled" },
            {
                console with
                {
                    IsSelfContained = true,
                    IsTrimmed = true,
                    IsGlobalizationInvariant = true,
                },
                null,
                "runtime-deps:10.0-noble-chiseled"
            },
            { console with { IsAot = true, RuntimeIdentifier = musl }, null, "runtime-deps:10.0-alpine" },
        };
    }

    [Theory]
    [MemberData(nameof(DefaultBases))]
    public void TheDefaultBaseIsTheOneTheSdkWouldChoose(object app, string? family, string expected) =>
        Assert.Equal("mcr.microsoft.com/dotnet/" + expected, ((DotNetApp)app).DefaultBase(family).ToString());

    [Theory]
    [InlineData("linux-x64", false, "/app", "dotnet /app/App.dll")]
    [InlineData("linux-x64", false, "/app/", "dotnet /app/App.dll")]
    [InlineData("linux-x64", true, "/app", "/app/App")]
    [InlineData("win-x64", true, @"C:\app", @"C:\app\App.exe")]
    [InlineData("win-x64", false, @"C:\app", @"dotnet C:\app\App.dll")]
    public void TheEntrypointStartsTheApp(string rid, bool isSelfContained, string folder, string command)
    {
        var app = new DotNetApp
        {
            RuntimeIdentifier = RuntimeIdentifier.Parse(rid),
            FrameworkVersion = "10.0",
            AssemblyName = "App",
            IsSelfContained = isSelfContained,
        };

        Assert.Equal(command, string.Join(' ', app.Entrypoint(folder)));
    }
}
