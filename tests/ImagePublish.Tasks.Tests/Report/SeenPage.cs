using System.Text.Json;

namespace ImagePublish.Tasks.Tests.Report;

/// <summary>What a script of a browser saw, by the names that the script gives.</summary>
internal static class SeenPage
{
    public static string Text(this JsonElement seen, string name) => seen.GetProperty(name).GetString()!;

    public static IReadOnlyList<string> Texts(this JsonElement seen, string name) =>
        [.. seen.GetProperty(name).EnumerateArray().Select(text => text.GetString()!)];
}
