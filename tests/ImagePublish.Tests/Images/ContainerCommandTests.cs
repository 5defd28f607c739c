using ImagePublish.Diagnostics;
using ImagePublish.Images;

namespace ImagePublish.Tests.Images;

/// <summary>The rules of the .NET SDK's own container support, as its documentation and its builds have them.</summary>
public sealed class ContainerCommandTests
{
    private static readonly string[] Usual = ["dotnet", "/app/App.dll"];

    [Theory]
    [InlineData("", "", "", "", "", null, "dotnet /app/App.dll", "")]
    [InlineData("", "", "", "", "serve", null, "dotnet /app/App.dll", "serve")]
    [InlineData("", "", "", "--fast", "serve", null, "dotnet /app/App.dll --fast", "serve")]
    [InlineData("", "", "run", "", "", null, "run", "")]
    [InlineData("tini", "--", "", "", "", null, "tini --", "dotnet /app/App.dll")]
    [InlineData("tini", "", "run", "it", "x", null, "tini", "run it x")]
    [InlineData("", "a b", "", "", "", null, "dotnet /app/App.dll", "a b")]
    [InlineData("", "", "", "", "x", "DefaultArgs", null, "dotnet /app/App.dll x")]
    [InlineData("", "", "", "", "x", "None", null, "x")]
    [InlineData("tini", "", "", "", "x", "none", "tini", "x")]
    [InlineData("", "", "", "", "", "None", null, null)]
    public void SettingsOfTheSdkMeanWhatTheyMeanThere(
        string entrypoint,
        string entrypointArgs,
        string appCommand,
        string appCommandArgs,
        string defaultArgs,
        string? instruction,
        string? expectedEntrypoint,
        string? expectedCommand
    )
    {
        var resolved = Create(entrypoint, entrypointArgs, appCommand, appCommandArgs, defaultArgs, instruction).Resolve(Usual);

        Assert.Equal(expectedEntrypoint, resolved.Entrypoint is null ? null : string.Join(' ', resolved.Entrypoint));
        Assert.Equal(expectedCommand, resolved.Command is null ? null : string.Join(' ', resolved.Command));
    }

    [Theory]
    [InlineData("", "a", "", "b", "", null, "IMG1018")]
    [InlineData("tini", "", "", "", "", "Entrypoint", "IMG1018")]
    [InlineData("", "", "run", "", "", "None", "IMG1018")]
    [InlineData("", "", "", "a", "", "None", "IMG1018")]
    [InlineData("", "", "", "", "", "Cmd", "IMG1007")]
    public void PartsThatContradictEachOtherAreAnError(
        string entrypoint,
        string entrypointArgs,
        string appCommand,
        string appCommandArgs,
        string defaultArgs,
        string? instruction,
        string code
    ) =>
        Assert.Equal(
            code,
            Assert
                .Throws<ImagePublishException>(() =>
                    Create(entrypoint, entrypointArgs, appCommand, appCommandArgs, defaultArgs, instruction).Resolve(Usual)
                )
                .Code.Id
        );

    private static ContainerCommand Create(
        string entrypoint,
        string entrypointArgs,
        string appCommand,
        string appCommandArgs,
        string defaultArgs,
        string? instruction
    ) =>
        new()
        {
            Entrypoint = Words(entrypoint),
            EntrypointArgs = Words(entrypointArgs),
            AppCommand = Words(appCommand),
            AppCommandArgs = Words(appCommandArgs),
            DefaultArgs = Words(defaultArgs),
            Instruction = instruction,
        };

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
