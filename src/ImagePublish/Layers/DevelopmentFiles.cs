namespace ImagePublish.Layers;

/// <summary>Files of a project that are for a developer's machine.</summary>
internal static class DevelopmentFiles
{
    /// <summary>Whether a file is <c>appsettings.Development.json</c> or the like, or <c>launchSettings.json</c>.</summary>
    public static bool AreSettings(string path)
    {
        var name = LayerPath.NameOf(path);
        return name.Equals("launchSettings.json", StringComparison.OrdinalIgnoreCase)
            || (
                name.StartsWith("appsettings.", StringComparison.OrdinalIgnoreCase)
                && name.EndsWith(".Development.json", StringComparison.OrdinalIgnoreCase)
            );
    }
}
