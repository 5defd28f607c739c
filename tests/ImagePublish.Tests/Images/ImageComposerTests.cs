using System.Text;
using ImagePublish.Images;
using ImagePublish.Oci;

namespace ImagePublish.Tests.Images;

public sealed class ImageComposerTests
{
    private static readonly ImageSpec Spec = new()
    {
        Platform = new Platform("linux", "amd64"),
        Created = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero),
        WorkingDirectory = "/app",
        Entrypoint = ["dotnet", "/app/App.dll"],
    };

    [Fact]
    public void TheBasesUnknownFieldsAndHealthcheckSurvive()
    {
        var image = Compose(Spec, """{"Healthcheck":{"Test":["CMD","true"]},"OnBuild":["x"],"Shell":["sh"]}""");

        var json = Encoding.UTF8.GetString(image.ConfigBlob.Content.Span);
        Assert.Contains("\"OnBuild\":[\"x\"]", json, StringComparison.Ordinal);
        Assert.Contains("\"Shell\":[\"sh\"]", json, StringComparison.Ordinal);
        Assert.Contains("\"novel\":42", json, StringComparison.Ordinal);
        Assert.Equal(["CMD", "true"], image.Config.Config!.Healthcheck!.Test);
    }

    [Fact]
    public void VariablesKeepTheirPlaceAndTheUsersValueWins()
    {
        var spec = Spec with
        {
            EnvironmentVariables = [KeyValuePair.Create("B", "Server=tcp:db:1433;x=\"y\" 🙂"), KeyValuePair.Create("C", "")],
        };

        Assert.Equal(["A=1", "B=Server=tcp:db:1433;x=\"y\" 🙂", "C="], Compose(spec, """{"Env":["A=1","B=2"]}""").Config.Config!.Env);
    }

    [Fact]
    public void AnEntrypointDropsTheBasesCommandAsDockerBuildDoes() =>
        Assert.Null(Compose(Spec, """{"Entrypoint":["a"],"Cmd":["bash"]}""").Config.Config!.Cmd);

    [Fact]
    public void WithoutAnEntrypointTheBasesCommandStays() =>
        Assert.Equal(["bash"], Compose(Spec with { Entrypoint = null }, """{"Cmd":["bash"]}""").Config.Config!.Cmd);

    [Theory]
    [InlineData("""{"User":"nobody","Env":["APP_UID=1654"]}""", null, "nobody")]
    [InlineData("""{"Env":["APP_UID=1654"]}""", null, "1654")]
    [InlineData("""{"Env":["APP_UID=1654"]}""", "0:0", "0:0")]
    [InlineData("{}", null, null)]
    public void TheUserIsTheUsersElseTheBasesElseItsAppUid(string baseConfig, string? user, string? expected) =>
        Assert.Equal(expected, Compose(Spec with { User = user }, baseConfig).Config.Config!.User);

    [Theory]
    [InlineData("ASPNETCORE_HTTP_PORTS=8080", "8080/tcp")]
    [InlineData("ASPNETCORE_HTTP_PORTS=80;8081", "80/tcp 8081/tcp")]
    [InlineData("ASPNETCORE_HTTPS_PORTS=8443", "8443/tcp")]
    [InlineData("ASPNETCORE_URLS=http://+:5000;https://*:5001", "5000/tcp 5001/tcp")]
    [InlineData("ASPNETCORE_URLS=http://[::]:7000/", "7000/tcp")]
    [InlineData("ASPNETCORE_URLS=https://localhost", "443/tcp")]
    [InlineData("ASPNETCORE_URLS=nonsense", "")]
    [InlineData("DOTNET_URLS=http://*:5002", "5002/tcp")]
    [InlineData("DOTNET_HTTP_PORTS=5003", "5003/tcp")]
    [InlineData("Kestrel__Endpoints__Http__Url=http://*:5004", "5004/tcp")]
    [InlineData("ASPNETCORE_Kestrel__Endpoints__Grpc__Url=https://[::]:5005", "5005/tcp")]
    [InlineData("Kestrel__Limits__MaxRequestBodySize=5006", "")]
    public void PortsAreInferredFromAspNetsVariables(string variable, string ports) =>
        Assert.Equal(ports, string.Join(' ', Compose(Spec, $$"""{"Env":["{{variable}}"]}""").Config.Config!.ExposedPorts ?? []));

    [Fact]
    public void WhatIsNoServerHasThePortsThatItNamesItself()
    {
        var spec = Spec with { ListensWhereBaseSays = false };

        Assert.Null(Compose(spec, """{"Env":["ASPNETCORE_HTTP_PORTS=8080"]}""").Config.Config!.ExposedPorts);
        Assert.Equal(
            ["9000/tcp"],
            Compose(
                spec with
                {
                    EnvironmentVariables = [new("DOTNET_HTTP_PORTS", "9000")],
                },
                """{"Env":["ASPNETCORE_HTTP_PORTS="]}"""
            ).Config.Config!.ExposedPorts
                ?? []
        );
    }

    [Fact]
    public void ABasesEntryPointOfNothingButDotNetIsDroppedWhereTheCommandStartsTheApp()
    {
        var spec = Spec with { Entrypoint = null, Command = ["dotnet", "/app/App.dll"], CommandStartsApp = true };

        Assert.Null(Compose(spec, """{"Entrypoint":["dotnet"]}""").Config.Config!.Entrypoint);
        Assert.Equal(["tini"], Compose(spec, """{"Entrypoint":["tini"]}""").Config.Config!.Entrypoint);
    }

    [Fact]
    public void AnEmptyCommandClearsTheBases() =>
        Assert.Null(Compose(Spec with { Entrypoint = null, Command = [] }, """{"Cmd":["bash"]}""").Config.Config!.Cmd);

    [Fact]
    public void AnEntrypointEndsTheEscapingOfABasesCommandLine() =>
        Assert.DoesNotContain(
            "ArgsEscaped",
            Encoding.UTF8.GetString(Compose(Spec, """{"ArgsEscaped":true,"Cmd":["a b"]}""").ConfigBlob.Content.Span),
            StringComparison.Ordinal
        );

    [Fact]
    public void TheHistoryHasAnEntryForEveryLayer()
    {
        var image = Compose(Spec, "{}");

        Assert.Equal(image.Layers.Count, image.Config.History!.Count(entry => entry.EmptyLayer != true));
        Assert.Equal(image.Layers.Select(layer => layer.DiffId), image.Config.RootFs.DiffIds);
    }

    [Fact]
    public void ABaseWithoutHistoryGivesAnImageWithoutOne()
    {
        var bare = Base("{}");
        var image = ImageComposer.Compose(Spec, bare with { Config = bare.Config with { History = null } }, [NewLayer()]);

        Assert.Null(image.Config.History);
    }

    [Theory]
    [InlineData(ImageFormat.Oci)]
    [InlineData(ImageFormat.Docker)]
    public void AllMediaTypesAreOfOneFamily(ImageFormat format)
    {
        var image = Compose(Spec with { Format = format, Annotations = [KeyValuePair.Create("a", "b")] }, "{}");

        var manifest = OciJson.ReadManifest(image.Manifest.Content.Span);
        Assert.All([manifest.MediaType!, manifest.Config.MediaType, .. manifest.Layers.Select(layer => layer.MediaType)], type =>
            Assert.Equal(format, MediaTypes.FormatOf(type))
        );
        Assert.Equal(format == ImageFormat.Oci, manifest.Annotations is not null);
    }

    [Fact]
    public void TheSameArgumentsGiveTheSameDigest()
    {
        var spec = Spec with { Labels = [KeyValuePair.Create("z", "1"), KeyValuePair.Create("a", "2")] };

        Assert.Equal(Compose(spec, "{}").Digest, Compose(spec with { Labels = [.. spec.Labels.Reverse()] }, "{}").Digest);
    }

    private static Image Compose(ImageSpec spec, string baseConfig) => ImageComposer.Compose(spec, Base(baseConfig), [NewLayer()]);

    private static NamedLayer NewLayer() => new("app", SomeLayer(2, MediaTypes.Layer(ImageFormat.Oci, Compression.Gzip)));

    private static BaseImage Base(string execution)
    {
        var layer = SomeLayer(1, MediaTypes.Layer(ImageFormat.Docker, Compression.Gzip));
        var config = OciJson.ReadConfig(
            Encoding.UTF8.GetBytes(
                $$"""{"architecture":"amd64","os":"linux","config":{{execution}},"rootfs":{"type":"layers","diff_ids":["{{layer.DiffId}}"]},"history":[{"created_by":"x"},{"created_by":"y","empty_layer":true}],"novel":42}"""
            )
        );
        return new BaseImage("base", layer.DiffId, ImageFormat.Docker, config, [layer]);
    }

    private static Layer SomeLayer(byte seed, string mediaType) =>
        new(new Descriptor(mediaType, Digest.Compute([seed]), 10), Digest.Compute([seed, seed]), null);
}
