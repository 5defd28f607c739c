using ImagePublish.Tasks.Tests.Support;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>What a user can get wrong: one line with a code and a way out, and nothing half-done.</summary>
public sealed class BadPublishInputTests(BrokenApp app) : IClassFixture<BrokenApp>
{
    private static readonly BadInput[] Cases =
    [
        new("IMG1001", "ImageName=not a name", "ImageName: 'not a name' is not an image reference"),
        new("IMG1001", "ImageName=localhost:5000/a@sha256:12", "its digest is malformed"),
        new("IMG1007", "ImageName=localhost:5000/a@sha256:0123456789012345678901234567890123456789012345678901234567890123", "ImageName"),
        new("IMG1006", "ImageRegistry=https://localhost:5000", "ImageRegistry: "),
        new("IMG1005", "ImageRepository=acme/-shop", "ImageRepository: "),
        new("IMG1004", "ImageTags=-bad", "ImageTags: '-bad' is not a tag"),
        new("IMG1009", "ImageTags={nope}", "Known are {version}"),
        new("IMG1009", "ImageTags={date:yyyyMMdd}", "no time is known"),
        new("IMG1009", "AutoGenerateImageTag=true", "no time is known"),
        new("IMG1009", "Version=2.0.0-rc.1;ImageTags={major}.{minor}", "2.0.0-rc.1 is a prerelease"),
        new("IMG1001", "ImageBase=UPPER", "ImageBase: 'UPPER'"),
        new("IMG2001", "ImageBase={host}/dotnet/runtime:99", "'{host}/dotnet/runtime:99' does not exist"),
        new("IMG2001", "ImageBase={host}/nobody/nothing", "'{host}/nobody/nothing:latest' does not exist"),
        new("IMG2002", "ImageRuntimeIdentifiers=linux-s390x", "It exists for linux/amd64, linux/arm64/v8"),
        new(
            "IMG1003",
            "ImageRuntimeIdentifiers=plan9-x64",
            "ImageRuntimeIdentifiers: No image can be made for the runtime identifier 'plan9-x64'"
        ),
        new("IMG1007", "ImageFileOwner=1:2:3", "ImageFileOwner has the value '1:2:3'"),
        new("IMG1007", "ImageWorkingDirectory=app", "such as /app"),
        new("IMG1007", "ImageCompression=brotli", "expected one of None, Gzip, Zstd"),
        new("IMG1007", "ImageCompressionLevel=99", "0 to 9"),
        new("IMG1007", "ImageCreated=yesterday", "2026-01-31T12:00:00Z"),
        new("IMG1007", "ImageTagPolicy=Latest", "SemVer"),
        new("IMG1001", "ImageCacheFrom=UPPER", "ImageCacheFrom: 'UPPER'"),
        new("IMG1007", "ImageCacheTrust=ghcr.io/acme/app:1.0", "anyone who may push to it can push any tag"),
        new("IMG1006", "ImageInsecureRegistries=https://x", "ImageInsecureRegistries: "),
        new("IMG1007", "ImagePackageSourceHosts=https://x", "ImagePackageSourceHosts has the value 'https://x'"),
        new("IMG1007", "ImageTrustedTokenHosts=https://x", "ImageTrustedTokenHosts has the value 'https://x'"),
        new("IMG1007", "ImageProvenance=perhaps", "ImageProvenance has the value 'perhaps'"),
        new("IMG1007", "ImageProvenance=true;ImageAttestations=elsewhere", "expected one of Referrers, Index, None"),
        new("IMG3101", "ImageStore=/dev/full", "'/dev/full'"),
        new("IMG1008", "Spoil=empty", "is empty"),
        new("IMG3001", "Spoil=link", "/etc/passwd"),
    ];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EachMistakeIsOneErrorThatSaysWhatAndWhere()
    {
        var registry = app.Registry;
        foreach (var (number, mistake) in Cases.Index())
            app.All.Element(Target($"Case{number}", mistake.Properties.Replace("{host}", registry.Host, StringComparison.Ordinal)));

        var build = await app.All.TargetAsync(string.Join(';', Cases.Select((_, number) => $"Case{number}")), Cancelled, "--no-restore");

        Assert.False(build.Succeeded);
        var errors = build.Errors.ToList();
        Assert.Equal(
            Cases.Select(mistake => $"{mistake.Code} {mistake.Properties}"),
            errors.Select((error, number) => $"{error.Code} {Cases[Math.Min(number, Cases.Length - 1)].Properties}")
        );
        Assert.All(errors.Zip(Cases), pair =>
            Assert.Contains(
                pair.Second.Says.Replace("{host}", registry.Host, StringComparison.Ordinal),
                pair.First.Text,
                StringComparison.Ordinal
            )
        );
        AssertNoStackTrace(build);
        foreach (var number in Enumerable.Range(0, Cases.Length))
            Assert.Empty(await registry.TagsAsync($"bad-input/case{number}", Cancelled));
    }

    [Fact]
    public async Task EachMistakeInAProjectIsOneErrorThatSaysWhichItemInWhichLine()
    {
        var numbers = Enumerable.Range(0, BadItem.All.Count).ToList();
        var lines = await File.ReadAllLinesAsync(app.Project.File, Cancelled);
        var smallBase = await SmallBase.PushToAsync(app.Registry, "bad-input/base:1", Cancelled);
        foreach (var (number, item) in BadItem.All.Index())
            app.All.Element(
                Target($"Item{number}", $"Mistake={number};ContainerAppCommandInstruction={item.Instruction};ImageBase={smallBase}")
            );

        var build = await app.All.TargetAsync(string.Join(';', numbers.Select(number => $"Item{number}")), Cancelled, "--no-restore");

        var errors = build.Errors.ToList();
        Assert.Equal(
            BadItem.All.Select(item => $"{item.Code} {item.Says}"),
            errors.Select(
                (error, number) =>
                    error.Text.Contains(BadItem.All[number].Says, StringComparison.Ordinal)
                        ? $"{error.Code} {BadItem.All[number].Says}"
                        : error.ToString()
            )
        );
        Assert.All(errors, error => Assert.Equal(app.Project.File, error.File));
        Assert.Equal(
            numbers.Select(number => Array.FindIndex(lines, line => line.Contains($"Culprit=\"{number}\"", StringComparison.Ordinal)) + 1),
            errors.Select(error => error.Line)
        );
        AssertNoStackTrace(build);
        foreach (var number in numbers)
            Assert.Empty(await app.Registry.TagsAsync($"bad-input/item{number}", Cancelled));
    }

    [Fact]
    public async Task ARegistryThatIsDownIsNamed()
    {
        var host = $"localhost:{Ports.Free()}";

        var build = await app.Project.PublishAsync(
            Cancelled,
            [.. Switches.For(app.Registry, "bad-input/down"), "--no-build", $"-p:ImageRegistry={host}"]
        );

        Assert.False(build.Succeeded);
        var error = Assert.Single(build.Errors);
        Assert.StartsWith("IMG4", error.Code, StringComparison.Ordinal);
        Assert.Contains(host, error.Text, StringComparison.Ordinal);
        AssertNoStackTrace(build);
    }

    [Fact]
    public async Task ATokenServiceOnAnotherDomainGetsCredentialsOnlyWhereItsHostIsTrusted()
    {
        await using var registry = await TestRegistry.StartAsync(
            options =>
            {
                options.Auth.Schemes = AuthSchemes.Bearer;
                options.Auth.Users["ann"] = "secret";
                options.Auth.Realm = "https://tokens.invalid/token";
            },
            Cancelled
        );
        var command = app.Project.Command("msbuild", "-t:ListImageTags", $"-p:ImageName={registry.Host}/acme/shop");
        command = command with
        {
            Environment = new Dictionary<string, string?>(command.Environment)
            {
                ["IMAGE_REGISTRY_USERNAME"] = "ann",
                ["IMAGE_REGISTRY_PASSWORD"] = "secret",
            },
        };

        var refused = await command.RunAsync(Cancelled);
        var trusted = await (command with { Arguments = [.. command.Arguments, "-p:ImageTrustedTokenHosts=tokens.invalid"] }).RunAsync(
            Cancelled
        );

        Assert.Contains("IMG5003", refused.All, StringComparison.Ordinal);
        Assert.Contains("ImageTrustedTokenHosts", refused.All, StringComparison.Ordinal);
        Assert.DoesNotContain("IMG5003", trusted.All, StringComparison.Ordinal);
        Assert.Contains("there is no host of that name", trusted.All, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AFullDiskIsOneErrorAndMovesNoTag()
    {
        var store = Directory.CreateDirectory(app.Workspace["store"]).FullName;
        await CommandLine.AsRoot("mount", "-t", "tmpfs", "-o", "size=48k,mode=777", "tmpfs", store).SucceedAsync(Cancelled);
        try
        {
            var build = await app.Project.PublishAsync(
                Cancelled,
                [.. Switches.For(app.Registry, "bad-input/full"), "--no-build", $"-p:ImageStore={store}"]
            );

            Assert.False(build.Succeeded);
            var error = Assert.Single(build.Errors);
            Assert.StartsWith("IMG3", error.Code, StringComparison.Ordinal);
            Assert.Contains(store, error.Text, StringComparison.Ordinal);
            AssertNoStackTrace(build);
            Assert.Empty(await app.Registry.TagsAsync("bad-input/full", Cancelled));
        }
        finally
        {
            await CommandLine.AsRoot("umount", store).RunAsync(CancellationToken.None);
        }
    }

    // One build for all mistakes: each fails in a build of its own within it.
    private string Target(string name, string own)
    {
        string[] properties =
        [
            "NoBuild=true",
            "Configuration=Release",
            "PublishImage=true",
            $"ImageRegistry={app.Registry.Host}",
            $"ImageRepository=bad-input/{name.ToLowerInvariant()}",
            $"ImageBase={app.Registry.Host}/dotnet/runtime:10.0",
            $"PublishDir={app.Project.Folder}/{name}/",
            own,
        ];
        return $"""
            <Target Name="{name}">
              <MSBuild Projects="{app.Project.File}" Targets="Publish" Properties="{string.Join(
                ';',
                properties
            )}" ContinueOnError="ErrorAndContinue" />
            </Target>
            """;
    }

    private static void AssertNoStackTrace(BuildOutput build)
    {
        Assert.DoesNotContain("   at ", build.Command.All, StringComparison.Ordinal);
        Assert.DoesNotContain("MSB4018", build.Command.All, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", build.Command.All, StringComparison.Ordinal);
    }

    /// <summary>A mistake, the code that it has, and what its message must say.</summary>
    private sealed record BadInput(string Code, string Properties, string Says);
}
