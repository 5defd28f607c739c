namespace ImagePublish.Migration;

/// <summary>A setting of the .NET SDK's container publishing, or of Visual Studio's container tools, as the project has it.</summary>
/// <param name="Value">A property's value, or an item's <c>Include</c>.</param>
/// <param name="Metadata">Null for a property; of an item what is known of it.</param>
internal sealed record SdkSetting(string Name, string Value, IReadOnlyDictionary<string, string>? Metadata = null);

/// <summary>Translates the .NET SDK's container settings. This package reads them as they are, so that nothing has to be changed.</summary>
internal static class SdkMigration
{
    private const string ReadAsItIs = "is read as it is; the snippet says the same";

    private static readonly Dictionary<string, string> Properties = new()
    {
        ["ContainerRegistry"] = "ImageRegistry",
        ["RegistryUrl"] = "ImageRegistry",
        ["ContainerRepository"] = "ImageRepository",
        ["ContainerImageName"] = "ImageRepository",
        ["ContainerImageTag"] = "ImageTags",
        ["ContainerImageTags"] = "ImageTags",
        ["PublishImageTag"] = "ImageTags",
        ["ContainerBaseImage"] = "ImageBase",
        ["ContainerFamily"] = "ImageBaseFamily",
        ["ContainerRuntimeIdentifier"] = "ImageRuntimeIdentifiers",
        ["ContainerRuntimeIdentifiers"] = "ImageRuntimeIdentifiers",
        ["ContainerWorkingDirectory"] = "ImageWorkingDirectory",
        ["ContainerUser"] = "ImageUser",
        ["ContainerImageFormat"] = "ImageFormat",
        ["ContainerArchiveOutputPath"] = "ImageArchive",
        ["ContainerGenerateLabels"] = "ImageGenerateLabels",
    };

    private static readonly Dictionary<string, string> Items = new()
    {
        ["ContainerEnvironmentVariable"] = "ImageEnvironmentVariable",
        ["ContainerLabel"] = "ImageLabel",
        ["ContainerPort"] = "ImagePort",
    };

    private static readonly string[] Words =
    [
        "ContainerEntrypoint",
        "ContainerEntrypointArgs",
        "ContainerAppCommand",
        "ContainerAppCommandArgs",
        "ContainerDefaultArgs",
        "ContainerAppCommandInstruction",
    ];

    public static IReadOnlyList<MigrationFinding> Translate(IEnumerable<SdkSetting> settings) =>
        [.. settings.Where(setting => setting.Value.Length > 0).Select(Translate)];

    private static MigrationFinding Translate(SdkSetting setting)
    {
        var (state, note, entry) = Meaning(setting);
        var value = setting.Metadata?.GetValueOrDefault("Value");
        var isSecret = value is not null && MigrationFindings.IsSecret(setting.Value, value);
        var source = MigrationFindings.Shown(
            setting.Metadata is null
                ? $"{setting.Name} {setting.Value}"
                : $"{setting.Name} {setting.Value}{(value is null ? "" : $"={(isSecret ? "…" : value)}")}"
        );
        return isSecret
            ? new MigrationFinding(
                source,
                0,
                MigrationState.ByHand,
                "anyone who has the image can read it: pass it when the container starts"
            )
            : new MigrationFinding(source, 0, state, note) { Entries = entry is null ? [] : [entry] };
    }

    private static (MigrationState State, string Note, MigrationEntry? Entry) Meaning(SdkSetting setting)
    {
        if (Properties.TryGetValue(setting.Name, out var property))
            return (MigrationState.Set, ReadAsItIs, MigrationEntry.Property(property, setting.Value));
        if (Items.TryGetValue(setting.Name, out var item))
            return (MigrationState.Set, ReadAsItIs, Item(item, setting));
        if (Words.Contains(setting.Name))
            return (MigrationState.Default, "is read as it is; in this package's words, ImageEntrypoint and ImageCommand", null);
        return setting.Name switch
        {
            "AutoGenerateImageTag" => (
                MigrationState.Check,
                "the commit's time, not the clock's",
                MigrationEntry.Property("ImageTags", "{date:yyyyMMddHHmmss}")
            ),
            "LocalRegistry" or "ContainerEngine" => (
                MigrationState.Set,
                "for PublishImage",
                MigrationEntry.Property("ImageLoad", setting.Value.ToLowerInvariant())
            ),
            "EnableSdkContainerSupport" or "Microsoft.NET.Build.Containers" => (
                MigrationState.NotNeeded,
                "only the SDK's own publishing needs it",
                null
            ),
            "DockerDefaultTargetOS" or "DockerfileContext" or "DockerfileFastModeStage" or "DockerfileTag" => (
                MigrationState.NotNeeded,
                "only for debugging with a Dockerfile in Visual Studio",
                null
            ),
            "DockerfileRunArguments" or "DockerfileBuildArguments" => (MigrationState.NotNeeded, "for docker run and docker build", null),
            _ => (MigrationState.Default, "is read as it is", null),
        };
    }

    private static MigrationEntry Item(string item, SdkSetting setting) =>
        item == "ImagePort"
            ? MigrationEntry.Item(item, setting.Value, ("Protocol", Given(setting, "Type")))
            : MigrationEntry.Item(item, setting.Value, ("Value", setting.Metadata?.GetValueOrDefault("Value") ?? ""));

    private static string? Given(SdkSetting setting, string metadata) =>
        setting.Metadata?.GetValueOrDefault(metadata) is { Length: > 0 } value ? value : null;
}
