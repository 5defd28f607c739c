using System.Text.Json;
using ImagePublish.Tasks.Tests.Fixtures;

namespace ImagePublish.Tasks.Tests.Config;

/// <summary>The same settings, three ways: the .NET SDK's <c>PublishContainer</c>, <c>docker build</c>, and this package.</summary>
public sealed class ConfigComparisonTests(ComparedImages images) : IClassFixture<ComparedImages>
{
    // Labels of the SDK that are deprecated, or would change the image with every build or SDK; docs/migrating.md explains each.
    private static readonly string[] OnlyTheSdks =
        ["org.opencontainers.artifact.created", "org.opencontainers.artifact.description", "net.dot.sdk.version", "org.opencontainers.image.created"];

    public static TheoryData<string> Fields => ["Env", "Cmd", "Entrypoint", "ExposedPorts", "User", "Volumes", "StopSignal", "Healthcheck", "WorkingDir", "OnBuild", "Shell", "ComExampleUnknown"];

    public static TheoryData<string> LabelNames =>
    [
        "com.example.base", "com.example.own", "com.example.difficult", "com.example.empty", "org.opencontainers.image.authors",
        "org.opencontainers.image.base.name", "org.opencontainers.image.description", "org.opencontainers.image.documentation", "org.opencontainers.image.licenses",
        "org.opencontainers.image.title", "org.opencontainers.image.url", "org.opencontainers.image.vendor", "org.opencontainers.image.version", "net.dot.runtime.majorminor",
    ];

    [Theory]
    [MemberData(nameof(Fields))]
    public void AFieldIsWhatTheSdkMakesOfTheSameProject(string field)
    {
        // The SDK forgets fields of the base that it does not know.
        if (field is not "ComExampleUnknown")
            Assert.Equal(Shown(images.Sdk, field), Shown(images.Ours, field));
        else
            Assert.Equal("True", Shown(images.Ours, field));
    }

    [Theory]
    [MemberData(nameof(LabelNames))]
    public void ALabelIsWhatTheSdkMakesOfTheSameProject(string name) =>
        Assert.Equal(images.Sdk.GetProperty("Labels").GetProperty(name).GetString(), images.Ours.GetProperty("Labels").GetProperty(name).GetString());

    [Fact]
    public void NoOtherLabelIsMissing()
    {
        var ours = Names(images.Ours);
        Assert.Empty(Names(images.Sdk).Except(ours).Except(OnlyTheSdks));
    }

    [Theory]
    [InlineData("Env")]
    [InlineData("Labels")]
    [InlineData("ExposedPorts")]
    [InlineData("Volumes")]
    [InlineData("User")]
    [InlineData("WorkingDir")]
    [InlineData("Entrypoint")]
    [InlineData("Cmd")]
    [InlineData("StopSignal")]
    [InlineData("Healthcheck")]
    [InlineData("Shell")]
    public void AFieldIsWhatDockerBuildMakesOfTheSameInstructions(string field) => Assert.Equal(Shown(images.Docker, field), Shown(images.OursAsDockerfile, field));

    private static IEnumerable<string> Names(JsonElement config) => config.GetProperty("Labels").EnumerateObject().Select(label => label.Name);

    // Empty and absent are the same; members of objects have no order.
    private static string Shown(JsonElement config, string field) => config.TryGetProperty(field, out var value) ? Shown(value) : "";

    private static string Shown(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => "",
        JsonValueKind.Object => string.Join('\n', value.EnumerateObject().OrderBy(member => member.Name, StringComparer.Ordinal).Select(member => $"{member.Name}={Shown(member.Value)}")),
        JsonValueKind.Array => string.Join('\n', value.EnumerateArray().Select(Shown)),
        _ => value.ToString(),
    };
}
