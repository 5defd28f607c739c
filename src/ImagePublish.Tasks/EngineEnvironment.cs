using ImagePublish.Commands;
using ImagePublish.Diagnostics;
using ImagePublish.Engines;
using ImagePublish.Tasks.Shared;

namespace ImagePublish.Tasks;

/// <summary>The settings of container engines on this machine.</summary>
internal static class EngineEnvironment
{
    public static EngineSettings Settings =>
        new()
        {
            Variable = TaskEnvironment.Variable,
            HomeFolder = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify),
        };

    /// <summary>Reads <c>ImageLoad</c>.</summary>
    /// <exception cref="ImagePublishException"><c>IMG1007</c>: it names no engine.</exception>
    public static EngineChoice ReadChoice(string load) =>
        EngineChoice.TryParse(load, Settings) ?? throw InputParser.Invalid("ImageLoad", load, EngineChoice.Expected);
}
