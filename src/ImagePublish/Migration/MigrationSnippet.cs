using System.Security;
using System.Text;
using System.Text.RegularExpressions;
using ImagePublish.Dockerfiles;

namespace ImagePublish.Migration;

/// <summary>Writes properties and items as they are pasted into a project file.</summary>
internal static partial class MigrationSnippet
{
    /// <summary>The lines; none where there is nothing to set. Of two entries that say the same thing the first one stays.</summary>
    public static IEnumerable<string> Lines(IEnumerable<MigrationEntry> entries)
    {
        var distinct = entries.DistinctBy(entry => entry.Key, StringComparer.OrdinalIgnoreCase).ToList();
        var properties = distinct.Where(entry => entry.Metadata is null).Select(Xml).ToList();
        var items = distinct.Where(entry => entry.Metadata is not null).Select(Xml).ToList();
        return
        [
            .. Group("PropertyGroup", properties),
            .. properties.Count > 0 && items.Count > 0 ? [""] : Array.Empty<string>(),
            .. Group("ItemGroup", items),
        ];
    }

    public static string Xml(MigrationEntry entry)
    {
        if (entry.Metadata is null)
            return $"<{entry.Name}>{Value(entry.Value)}</{entry.Name}>";
        var include = entry.Words is { } words
            ? string.Join(';', words.Select(word => Include(word, false)))
            : Include(entry.Value, entry.IsPattern);
        var metadata = string.Concat(entry.Metadata.Select(one => $" {one.Key}=\"{Value(one.Value)}\""));
        return $"<{entry.Name} Include=\"{include}\"{metadata} />";
    }

    private static IEnumerable<string> Group(string name, List<string> lines) =>
        lines.Count == 0 ? [] : [$"<{name}>", .. lines.Select(line => $"  {line}"), $"</{name}>"];

    // An item's Include is a list, and may have wildcards.
    private static string Include(string text, bool isPattern)
    {
        var escaped = new StringBuilder();
        foreach (var one in text)
        {
            if (one == ';' || (!isPattern && one is '*' or '?'))
                escaped.Append('%').Append(Convert.ToHexString([(byte)one]));
            else
                escaped.Append(one);
        }

        return Value(escaped.ToString(), isEscaped: true);
    }

    // MSBuild's own characters lose their meaning; an argument of the Dockerfile becomes a property.
    private static string Value(string text, bool isEscaped = false)
    {
        var plain = isEscaped ? text : Percent().Replace(text, "%25");
        var visible = Reference().Replace(plain, match => match.Value[0] == '$' ? "%24(" : "%40(");
        var xml = SecurityElement.Escape(visible).Replace("&apos;", "'", StringComparison.Ordinal);
        return DockerfileText.Replace(xml.ReplaceLineEndings("&#xA;"), name => $"$({name})");
    }

    [GeneratedRegex(@"%(?=[0-9A-Fa-f]{2}|\()")]
    private static partial Regex Percent();

    [GeneratedRegex(@"[$@]\(")]
    private static partial Regex Reference();
}
