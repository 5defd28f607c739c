using System.Globalization;
using ImagePublish.Diagnostics;
using ImagePublish.Policies;
using ImagePublish.Requests;
using ImagePublish.Tasks.Shared;

namespace ImagePublish.Tasks;

/// <summary>Reads what an image must be like, and which files of the publish folder are in it.</summary>
internal sealed class PolicyRequestReader(PublishImageInputs inputs)
{
    private enum SettingsRule
    {
        Keep,
        Warn,
        Omit,
    }

    private SettingsRule Settings => InputParser.Choice(inputs.DevelopmentSettings, "ImageDevelopmentSettings", SettingsRule.Keep);

    /// <exception cref="ImagePublishException"><c>IMG1007</c>: a value can't be understood.</exception>
    public PolicyRequest Read() => inputs.Variant is null ? ReadOfImage() : ReadOfVariant();

    // Its base, its labels and the files that it shares are those of the image itself, and its size is more on purpose.
    private PolicyRequest ReadOfVariant() =>
        new()
        {
            RequiresNonRoot = inputs.RequireNonRoot && inputs.Variant!.User is not null,
            AllowedFiles = ReadPatterns(inputs.AllowedFiles),
            ForbidsDevelopmentSettings = Settings == SettingsRule.Warn,
            IsOfVariant = true,
        };

    private PolicyRequest ReadOfImage() =>
        new()
        {
            MaxSize = Amounts.ParseSize(inputs.MaxSize, "ImageMaxSize"),
            MaxGrowth = ReadGrowth(InputParser.Optional(inputs.MaxGrowth)),
            AllowedBases = InputParser.Words(inputs.AllowedBases),
            RequiredLabels = InputParser.Words(inputs.RequiredLabels),
            RequiresNonRoot = inputs.RequireNonRoot,
            AllowedFiles = ReadPatterns(inputs.AllowedFiles),
            ForbidsDevelopmentSettings = Settings == SettingsRule.Warn,
            Audit = InputParser.Optional(inputs.AssetsFile) is { } assets
                ? new RestoreAudit(
                    inputs.ResolvePath(assets),
                    inputs.TargetFramework,
                    !inputs.IsSingleFile && !inputs.IsAot && !inputs.IsTrimmed
                )
                : null,
        };

    public FileSelection ReadSelection() =>
        new()
        {
            KeepsOtherPlatforms = inputs.KeepOtherPlatforms,
            OmitsDevelopmentSettings = Settings == SettingsRule.Omit,
            Symbols = InputParser.Choice(inputs.Symbols, "ImageSymbols", SymbolPlacement.App),
        };

    // A path may have blanks and commas.
    private static string[] ReadPatterns(string? text) =>
        (text ?? "").Split([';', '\r', '\n'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static GrowthLimit? ReadGrowth(string? text)
    {
        if (text is null)
            return null;
        if (!text.EndsWith('%'))
            return new GrowthLimit(Amounts.ParseSize(text, "ImageMaxGrowth"), null);
        return int.TryParse(text[..^1].Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var percent)
            ? new GrowthLimit(null, percent)
            : throw InputParser.Invalid("ImageMaxGrowth", text, "expected a size such as 20MB, or whole percents such as 10%");
    }
}
