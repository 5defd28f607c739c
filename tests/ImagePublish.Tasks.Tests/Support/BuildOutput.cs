using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace ImagePublish.Tasks.Tests.Support;

/// <summary>An error or a warning as MSBuild prints it.</summary>
public sealed record BuildMessage(string Severity, string Code, string Text)
{
    /// <summary>The file that it is about; empty where none is named.</summary>
    public string File { get; init; } = "";

    /// <summary>The line in it, from 1; 0 where none is named.</summary>
    public int Line { get; init; }

    public override string ToString() => $"{Severity} {Code}: {Text}";
}

/// <summary>What came of a build.</summary>
public sealed partial record BuildOutput(
    CommandOutput Command,
    IReadOnlyList<BuildMessage> Messages,
    IReadOnlyDictionary<string, string> Properties,
    IReadOnlyList<IReadOnlyDictionary<string, string>> PublishedImages,
    string BinaryLog
)
{
    /// <summary>The option of a build that keeps a binary log. It makes a small publish a third longer.</summary>
    public const string Log = "-bl";

    public bool Succeeded => Command.ExitCode == 0;

    public IEnumerable<BuildMessage> Errors => Messages.Where(message => message.Severity == "error");

    public IEnumerable<BuildMessage> Warnings => Messages.Where(message => message.Severity == "warning");

    /// <summary><c>$(ImageDigest)</c>; empty if the build made no image.</summary>
    public string Digest => Properties.GetValueOrDefault("ImageDigest", "");

    /// <summary><c>$(PublishDir)</c>, relative to the project unless it was set; MSBuild keeps Windows' separators in it.</summary>
    public string PublishFolder => Properties["PublishDir"].Replace('\\', '/');

    public BuildOutput EnsureSuccess()
    {
        Command.EnsureSuccess();
        return this;
    }

    /// <summary>The binary log of a build with <see cref="Log"/> as text, with every property, item and task parameter: for what must, or
    /// must never, be in it.</summary>
    public async Task<string> DetailsAsync(CancellationToken cancellationToken) =>
        (await DotNetCommand.Create("", "msbuild", BinaryLog, "-nologo", "-v:diagnostic").SucceedAsync(cancellationToken)).Output;

    internal static BuildOutput Read(CommandOutput command, string results, string log)
    {
        var messages = MessageLine()
            .Matches(command.All)
            .Select(line => new BuildMessage(line.Groups["severity"].Value, line.Groups["code"].Value, line.Groups["text"].Value.Trim())
            {
                File = line.Groups["file"].Value,
                Line = int.TryParse(line.Groups["line"].ValueSpan, CultureInfo.InvariantCulture, out var number) ? number : 0,
            })
            .Distinct();
        // A build that fails early leaves it empty.
        using var json = JsonDocument.Parse(File.Exists(results) && File.ReadAllText(results) is { Length: > 0 } text ? text : "{}");
        return new BuildOutput(command, [.. messages], ReadProperties(json.RootElement), ReadImages(json.RootElement), log);
    }

    private static Dictionary<string, string> ReadProperties(JsonElement root) =>
        root.TryGetProperty(nameof(Properties), out var properties) ? Strings(properties) : [];

    private static IReadOnlyList<IReadOnlyDictionary<string, string>> ReadImages(JsonElement root) =>
        root.TryGetProperty("Items", out var items) && items.TryGetProperty("PublishedImage", out var images)
            ? [.. images.EnumerateArray().Select(Strings)]
            : [];

    private static Dictionary<string, string> Strings(JsonElement element) =>
        element.EnumerateObject().ToDictionary(field => field.Name, field => field.Value.GetString() ?? "");

    public override string ToString() => Command.ToString();

    // The project's path in brackets at the end belongs to MSBuild, not to the message.
    [GeneratedRegex(
        @"^((?<file>/[^\n(]*)(\((?<line>\d+)[,)][^\n:]*)?: |.*?\b)(?<severity>error|warning) (?<code>[A-Z]+\d+): (?<text>.*?)( "
            + @"\[[^\]]*proj(::[^\]]*)?\])?\r?$",
        RegexOptions.Multiline
    )]
    private static partial Regex MessageLine();
}
