using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>
/// Reports properties of the command line that are probably misspelled: MSBuild accepts any name, and the image would be published as if
/// nothing had been said.
/// </summary>
public sealed class CheckPropertyNames : ImageTask
{
    private const string Word = "Image";

    /// <summary>The file that describes all properties, for editors.</summary>
    [Required]
    public string SchemaFile { get; set; } = "";

    /// <summary>The project's file.</summary>
    [Required]
    public string ProjectFile { get; set; } = "";

    private protected override Task ExecuteAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        if (BuildEngine is not IBuildEngine6 engine)
            return Task.CompletedTask;
        var schema = new Lazy<byte[]>(() => File.ReadAllBytes(SchemaFile));
        foreach (var name in engine.GetGlobalProperties().Keys)
        {
            if (!IsPrivate(name) && name.Contains(Word, StringComparison.OrdinalIgnoreCase) && !IsKnown(name, schema.Value))
                CheckUnknown(name, schema.Value, log);
        }

        return Task.CompletedTask;
    }

    // Our targets build projects with such properties.
    private static bool IsPrivate(string name) => name.StartsWith('_');

    // Nearly always it is in the file as it is given: then that is not parsed.
    private static bool IsKnown(string name, byte[] schema) => schema.AsSpan().IndexOf(Encoding.UTF8.GetBytes($"\"{name}\":")) >= 0;

    private void CheckUnknown(string name, byte[] schema, IPublishLog log)
    {
        using var parsed = JsonDocument.Parse(schema);
        var known = parsed.RootElement.GetProperty("properties").EnumerateObject().Select(property => property.Name).ToList();
        if (
            !known.Contains(name, StringComparer.OrdinalIgnoreCase)
            && Spelling.FindIntended(name, known) is { } intended
            && IsUnread(name)
            && BuildObjects.IsFirst(BuildEngine4, $"property {name}")
        )
            Report(name, intended, log);
    }

    private static void Report(string name, string intended, IPublishLog log)
    {
        var message =
            $"The command line sets {Text.Sanitize(name)}, which neither ImagePublish.Tasks nor the project reads. "
            + $"Did you mean {intended}?";
        if (log.IsError(DiagnosticCodes.PropertyUnknown))
            throw new ImagePublishException(DiagnosticCodes.PropertyUnknown, message);
        log.Warning(DiagnosticCodes.PropertyUnknown, message);
    }

    // A project may have a property of its own by that name, and make ours of it. Where the files are not known, none is reported. Our own
    // files read some slips to find them.
    private bool IsUnread(string name) =>
        ProjectEvaluation.Read(BuildEngine) is { } evaluation
        && !evaluation
            .Imports.Where(file => Path.GetDirectoryName(file) != Path.GetDirectoryName(SchemaFile))
            .Prepend(ProjectFile)
            .Distinct(StringComparer.Ordinal)
            .Any(file => Reads(file, name));

    private static bool Reads(string file, string name)
    {
        try
        {
            // $(ImageTag) or $(ImageTag.Trim()), not $(ImageTags).
            var use = $@"\$\(\s*{Regex.Escape(name)}[^\w-]";
            return Regex.IsMatch(File.ReadAllText(file), use, RegexOptions.IgnoreCase | RegexOptions.NonBacktracking);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The project of a file-based app is in no file.
            return false;
        }
    }
}
