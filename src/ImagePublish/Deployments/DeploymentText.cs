using System.Text.RegularExpressions;
using ImagePublish.Diagnostics;
using YamlDotNet.Core;

namespace ImagePublish.Deployments;

/// <summary>Collects changes of a YAML text, each of a few characters, and makes them all at once.</summary>
internal sealed partial class DeploymentText(string text)
{
    private readonly SortedDictionary<int, (int End, string Text)> changes = [];

    public bool IsChanged => changes.Any(change => text[change.Key..change.Value.End] != change.Value.Text);

    /// <summary>Replaces what a scalar says; its quotes, anchor and tag stay.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3124</c>: what it says is not written there as it is.</exception>
    public void Replace(YamlText scalar, string value)
    {
        var raw = text[scalar.Start..scalar.End];
        var said = scalar.Value.TrimEnd('\n');
        if (said.Length == 0)
        {
            ReplaceEmpty(scalar, value, raw);
            return;
        }

        var at = raw.LastIndexOf(said, StringComparison.Ordinal);
        if (at < 0)
            throw Unchangeable(scalar.Start, "is written with escapes or line breaks");
        var quoted = scalar.Style == ScalarStyle.Plain && IsNoString(value) ? $"\"{value}\"" : value;
        changes[scalar.Start + at] = (scalar.Start + at + said.Length, quoted);
    }

    /// <summary>Adds an entry to a mapping, after one that it has.</summary>
    public void Add(YamlMap map, YamlText after, string entry)
    {
        var value = map.Entries.First(one => ReferenceEquals(one.Key, after)).Value;
        if (map.IsFlow)
        {
            changes[value.End] = (value.End, $", {entry}");
            return;
        }

        // The end of a block scalar is the start of the next line.
        var end = value.End > 0 && text[value.End - 1] == '\n' ? value.End : text.IndexOf('\n', value.End) + 1;
        var lineStart = text.LastIndexOf('\n', after.Start) + 1;
        var newLine = text.Contains("\r\n", StringComparison.Ordinal) ? "\r\n" : "\n";
        var line = new string(' ', after.Start - lineStart) + entry;
        changes[end == 0 ? text.Length : end] = end == 0 ? (text.Length, newLine + line) : (end, line + newLine);
    }

    public override string ToString()
    {
        var result = text;
        foreach (var (start, change) in changes.Reverse())
            result = string.Concat(result.AsSpan(0, start), change.Text, result.AsSpan(change.End));
        return result;
    }

    public ImagePublishException Unchangeable(int position, string why) =>
        new(DiagnosticCodes.DeploymentUnchangeable, FormattableString.Invariant($"line {LineOf(position)}: the image {why}"));

    private void ReplaceEmpty(YamlText scalar, string value, string raw)
    {
        if (scalar.Style is ScalarStyle.SingleQuoted or ScalarStyle.DoubleQuoted)
        {
            changes[scalar.End - 1] = (scalar.End - 1, value);
            return;
        }

        if (raw.Length > 0)
            throw Unchangeable(scalar.Start, "has an anchor, a tag or a block without text");
        var space = scalar.Start > 0 && text[scalar.Start - 1] == ':' ? " " : "";
        changes[scalar.Start] = (scalar.Start, space + (IsNoString(value) ? $"\"{value}\"" : value));
    }

    private int LineOf(int position) => text.AsSpan(0, position).Count('\n') + 1;

    // A version such as 1.10 is a number to YAML, and loses its last digit.
    private static bool IsNoString(string value) => NoString().IsMatch(value);

    [GeneratedRegex(
        @"\A(?:[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9_]+)(?:e[-+]?[0-9]+)?|0x[0-9a-f_]+|0o[0-7]+|[0-9]{4}-[0-9]+-[0-9]+"
            + @"|true|false|yes|no|on|off|null|y|n)\z",
        RegexOptions.IgnoreCase
    )]
    private static partial Regex NoString();
}
