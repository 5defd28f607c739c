using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Policies;
using ImagePublish.Requests;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Publishing;

/// <summary>What a policy refuses leaves nothing in the registry, and a publish that changes nothing reads no file for it.</summary>
public sealed class PolicyStepTests
{
    private const string Examined = "are checked against the policy";

    [Theory]
    [InlineData("IMG1090")]
    [InlineData("IMG1091")]
    [InlineData("IMG1092")]
    [InlineData("IMG1093")]
    [InlineData("IMG1094")]
    [InlineData("IMG1096")]
    [InlineData("IMG1097")]
    [InlineData("IMG1098")]
    [ReliabilityCase(
        "Guard rails",
        "an image violates a policy: size, growth, base, labels, user, credentials, sources, vulnerable packages",
        "a one-line warning; if it is an error, no upload starts and no manifest is written"
    )]
    public async Task EachWarningCanBeAnErrorAndThenNothingIsUploaded(string id)
    {
        await using var bench = await PublishingBench.StartAsync();
        await bench.PublishAsync(bench.Request("1.0"));
        Spoil(bench);
        var code = DiagnosticCodes.All.Single(one => one.Id == id);

        bench.Log.Errors.Add(code);
        var failure = await Assert.ThrowsAnyAsync<ImagePublishException>(() => bench.PublishAsync(Strict(bench)));
        Assert.Equal(code, failure.Code);
        Assert.Equal(0, bench.Moved(RegistryStep.UploadPost, RegistryStep.MountPost, RegistryStep.ManifestPut));

        bench.Log.Errors.Clear();
        bench.Log.Warnings.Clear();
        await bench.PublishAsync(Strict(bench));
        Assert.Contains(failure.Message, bench.Log.Warnings);
        Assert.NotEqual(0, bench.Moved(RegistryStep.ManifestPut));
    }

    [Fact]
    public async Task AllThatFailsIsSaidBeforeTheFirstError()
    {
        await using var bench = await PublishingBench.StartAsync();
        Spoil(bench);
        bench.Log.Errors.UnionWith(DiagnosticCodes.All);

        await Assert.ThrowsAnyAsync<ImagePublishException>(() => bench.PublishAsync(Strict(bench)));

        Assert.Equal(5, bench.Log.Warnings.Count);
    }

    [Fact]
    [ReliabilityCase(
        "Guard rails",
        "a publish that changes nothing, of an image with findings",
        "the findings are repeated from the image's record; no file is read"
    )]
    public async Task AnUnchangedPublishRepeatsWhatWasFoundAndReadsNoFileForIt()
    {
        await using var bench = await PublishingBench.StartAsync();
        Spoil(bench);
        var request = Strict(bench);
        await bench.PublishAsync(request);
        Assert.Contains(bench.Log.Details, line => line.Contains(Examined, StringComparison.Ordinal));
        var found = bench.Log.Warnings.ToList();
        bench.Log.Details.Clear();
        bench.Log.Warnings.Clear();

        Assert.True((await bench.PublishAsync(request)).IsUnchanged);

        Assert.Equal(found.Order(StringComparer.Ordinal), bench.Log.Warnings.Order(StringComparer.Ordinal));
        Assert.DoesNotContain(bench.Log.Details, line => line.Contains(Examined, StringComparison.Ordinal));
    }

    [Fact]
    public async Task AnUnchangedPublishFailsOnceTheWarningIsAnError()
    {
        await using var bench = await PublishingBench.StartAsync();
        Spoil(bench);
        await bench.PublishAsync(Strict(bench));

        bench.Log.Errors.Add(DiagnosticCodes.CredentialsInImage);

        var failure = await Assert.ThrowsAnyAsync<ImagePublishException>(() => bench.PublishAsync(Strict(bench)));
        Assert.Equal(DiagnosticCodes.CredentialsInImage, failure.Code);
    }

    [Fact]
    public async Task AnotherMachineFindsTheSameInAnImageThatIsUpToDate()
    {
        await using var bench = await PublishingBench.StartAsync();
        Spoil(bench);
        await bench.PublishAsync(Strict(bench));
        bench.Log.Warnings.Clear();

        Assert.True((await bench.PublishAsync(Strict(bench), "elsewhere")).IsUnchanged);

        Assert.Contains(bench.Log.Warnings, line => line.Contains("'/app/.env'", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ANewPolicyIsHeldAgainstAnImageThatIsThere()
    {
        await using var bench = await PublishingBench.StartAsync();
        await bench.PublishAsync(bench.Request("1.0"));
        bench.Log.Errors.Add(DiagnosticCodes.RunsAsRoot);

        var request = bench.Request("1.0") with { Policy = new PolicyRequest { RequiresNonRoot = true } };

        await Assert.ThrowsAnyAsync<ImagePublishException>(() => bench.PublishAsync(request));
    }

    [Fact]
    public async Task ACleanAppHasNoWarning()
    {
        await using var bench = await PublishingBench.StartAsync();
        bench.Write("appsettings.json", """{ "Logging": {} }""");
        bench.Write("appsettings.Development.json", """{ "Logging": {} }""");

        await bench.PublishAsync(bench.Request("1.0") with { Policy = new PolicyRequest() });

        Assert.Empty(bench.Log.Warnings);
    }

    [Fact]
    public async Task APlanSaysTheSame()
    {
        await using var bench = await PublishingBench.StartAsync();
        Spoil(bench);

        await bench.PlanAsync(Strict(bench));

        Assert.Contains(bench.Log.Warnings, line => line.Contains("'/app/.env'", StringComparison.Ordinal));
        Assert.Contains(bench.Log.Warnings, line => line.Contains("ImageMaxSize", StringComparison.Ordinal));
    }

    [Fact]
    public async Task GrowthIsMeasuredAgainstTheImageAtTheTag()
    {
        await using var bench = await PublishingBench.StartAsync();
        var policy = new PolicyRequest { MaxGrowth = new GrowthLimit(Bytes: 50_000, Percent: null) };
        PublishRequest Growing() => bench.Request("1.0") with { Policy = policy, ComparedTags = [Tag.Parse("1.0")] };
        await bench.PublishAsync(Growing());
        Assert.Empty(bench.Log.Warnings);

        bench.Write("large.bin", Noise(100_000));
        await bench.PublishAsync(Growing());
        var warning = Assert.Single(bench.Log.Warnings);
        Assert.Contains("0.1 MB more than", warning, StringComparison.Ordinal);

        bench.Log.Warnings.Clear();
        bench.Write("App.dll", "app 2");
        await bench.PublishAsync(Growing());
        Assert.Empty(bench.Log.Warnings);
    }

    [Theory]
    [InlineData(null, 10, 100, 111, true)]
    [InlineData(null, 10, 100, 110, false)]
    [InlineData(10L, null, 100, 111, true)]
    [InlineData(10L, null, 100, 110, false)]
    [InlineData(0L, null, 100, 90, false)]
    [InlineData(null, 0, 100, 101, true)]
    public void AGrowthHasALimit(long? bytes, int? percent, long before, long now, bool isExceeded) =>
        Assert.Equal(isExceeded, new GrowthLimit(bytes, percent).IsExceeded(before, now));

    [Theory]
    [InlineData("mcr.microsoft.com/dotnet/*", "mcr.microsoft.com/dotnet/aspnet:10.0", true)]
    [InlineData("mcr.microsoft.com/dotnet/aspnet", "mcr.microsoft.com/dotnet/aspnet:10.0", true)]
    [InlineData("mcr.microsoft.com/dotnet/aspnet:8.*", "mcr.microsoft.com/dotnet/aspnet:10.0", false)]
    [InlineData("mcr.microsoft.com/*", "evil.test/mcr.microsoft.com/dotnet/aspnet:10.0", false)]
    [InlineData("mcr.microsoft.com/*", "mcr.microsoft.com.evil.test/dotnet/aspnet:10.0", false)]
    public void ABaseIsAllowedByItsName(string pattern, string reference, bool isAllowed)
    {
        var name = Reference.Parse(reference);
        var policy = new ImagePolicy(new PolicyRequest { AllowedBases = [pattern] });

        Assert.Equal(isAllowed, !policy.CheckBase(name.ToString(), name.Repository.ToString()).Any());
    }

    [Theory]
    [InlineData("linux", null, true)]
    [InlineData("linux", "", true)]
    [InlineData("linux", "root", true)]
    [InlineData("linux", "0", true)]
    [InlineData("linux", "0:1000", true)]
    [InlineData("linux", "00", true)]
    [InlineData("linux", "root:app", true)]
    [InlineData("linux", "1654", false)]
    [InlineData("linux", "app", false)]
    [InlineData("linux", "1654:0", false)]
    [InlineData("windows", "ContainerAdministrator", true)]
    [InlineData("windows", "ContainerUser", false)]
    public void RootHasManyNames(string os, string? user, bool isRoot)
    {
        var config = new ImageConfig("amd64", os) { Config = new ExecutionConfig { User = user } };

        Assert.Equal(isRoot, new ImagePolicy(new PolicyRequest { RequiresNonRoot = true }).CheckConfig(config).Any());
    }

    // Breaks every rule that can be broken with files and settings.
    private static void Spoil(PublishingBench bench)
    {
        bench.Write(".env", "PASSWORD=hunter2");
        bench.Write("Program.cs", "class A;");
        bench.Write("large.bin", Noise(100_000));
        bench.Write(
            "../project.assets.json",
            """
            { "logs": [ { "code": "NU1903", "libraryId": "Old", "targetGraphs": ["net10.0"], "message": "Package 'Old' 1.0 is vulnerable." } ] }
            """
        );
    }

    private static PublishRequest Strict(PublishingBench bench) =>
        bench.Request("1.0") with
        {
            ComparedTags = [Tag.Parse("1.0")],
            Policy = new PolicyRequest
            {
                MaxSize = 1000,
                MaxGrowth = new GrowthLimit(null, 10),
                AllowedBases = ["mcr.microsoft.com/*"],
                RequiredLabels = ["team"],
                RequiresNonRoot = true,
                Audit = new RestoreAudit(Path.Combine(bench.PublishFolder, "../project.assets.json"), "net10.0", ArePackagesKnown: false),
            },
        };

    private static string Noise(int length) =>
        Convert.ToHexString(new Random(1).GetItems(Enumerable.Range(0, 256).Select(b => (byte)b).ToArray(), length));
}
