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
}
