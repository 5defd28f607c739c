using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>Whether MSBuild makes an error of a warning.</summary>
/// <remarks>
/// MSBuild answers that itself, but not for <c>-warnaserror</c> without codes: it stands for an empty set, which MSBuild joins with the set
/// of the project. That one has NU1605 in every project of the .NET SDK, and so the answer is about NU1605 alone, while the logger does
/// turn all warnings into errors. The switch's value is in the build's parameters, which no interface exposes. Where they can't be found,
/// MSBuild's own answer holds.
/// </remarks>
internal static class WarningSwitches
{
    public static bool IsError(IBuildEngine engine, string code, string? spared) =>
        engine is IBuildEngine8 build
        && (
            build.ShouldTreatWarningAsError(code)
            || (AreAllErrors(engine, code) && !InputParser.Words(spared).Contains(code, StringComparer.OrdinalIgnoreCase))
        );

    [UnconditionalSuppressMessage(
        "Trimming",
        "IL2075",
        Justification = "MSBuild is never trimmed; what is not found is MSBuild's own answer."
    )]
    private static bool AreAllErrors(IBuildEngine engine, string code)
    {
        var host = engine.GetType().GetField("_host", BindingFlags.Instance | BindingFlags.NonPublic);
        var parameters = host?.FieldType.GetProperty("BuildParameters")?.GetValue(host.GetValue(engine));
        return CodesOf("WarningsAsErrors") is { Count: 0 }
            && CodesOf("WarningsNotAsErrors")?.Contains(code) != true
            && CodesOf("WarningsAsMessages")?.Contains(code) != true;

        ICollection<string>? CodesOf(string property) =>
            parameters?.GetType().GetProperty(property)?.GetValue(parameters) as ICollection<string>;
    }
}
