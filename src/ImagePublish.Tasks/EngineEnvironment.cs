using ImagePublish.Engines;

namespace ImagePublish.Tasks;

/// <summary>The settings of container engines on this machine.</summary>
internal static class EngineEnvironment
{
    public static EngineSettings Settings =>
        new()
        {
            Variable = Environment.GetEnvironmentVariable,
            HomeFolder = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify),
        };
}
