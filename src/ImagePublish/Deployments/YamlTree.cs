using ImagePublish.Common;
using ImagePublish.Diagnostics;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace ImagePublish.Deployments;

/// <summary>A node of a YAML file, with its place in the text, in characters.</summary>
internal abstract record YamlNode(int Start, int End)
{
    /// <summary>Whether aliases elsewhere in the document repeat it.</summary>
    public bool IsAnchored { get; init; }
}

internal sealed record YamlText(int Start, int End, string Value, ScalarStyle Style) : YamlNode(Start, End);

internal sealed record YamlList(int Start, int End, IReadOnlyList<YamlNode> Items) : YamlNode(Start, End);

internal sealed record YamlMap(int Start, int End, bool IsFlow, IReadOnlyList<KeyValuePair<YamlNode, YamlNode>> Entries)
    : YamlNode(Start, End)
{
    public YamlNode? Find(string key) =>
        Entries.FirstOrDefault(entry => entry.Key is YamlText text && text.Value == key) is { Value: { } value } ? value : null;
}

/// <summary>A node that repeats another one.</summary>
internal sealed record YamlAlias(int Start, int End, YamlNode Target) : YamlNode(Start, End);

/// <summary>The documents of a YAML file.</summary>
/// <remarks>YamlDotNet's own tree is built by recursion without a limit, and repeats what aliases name: this one does neither.</remarks>
internal sealed class YamlTree
{
    private const int DeepestNode = 100;
    private const int MostNodes = 2_000_000;

    private readonly Parser parser;
    private readonly Dictionary<AnchorName, YamlNode?> anchors = [];
    private int nodes;

    private YamlTree(string text) => parser = new Parser(new StringReader(text));

    /// <exception cref="ImagePublishException"><c>IMG3120</c>: it is not YAML.</exception>
    public static IReadOnlyList<YamlNode> Read(string text)
    {
        var tree = new YamlTree(text);
        try
        {
            return tree.ReadDocuments();
        }
        catch (YamlException exception)
        {
            throw Refused(exception.Start, Text.Sanitize(exception.InnerException?.Message ?? exception.Message).TrimEnd('.'));
        }
    }

    private static ImagePublishException Refused(Mark mark, string why) =>
        new(DiagnosticCodes.DeploymentUnreadable, FormattableString.Invariant($"line {mark.Line}, column {mark.Column}: {why}"));

    private List<YamlNode> ReadDocuments()
    {
        var documents = new List<YamlNode>();
        while (parser.MoveNext())
        {
            if (parser.Current is not DocumentStart)
                continue;
            anchors.Clear();
            parser.MoveNext();
            documents.Add(ReadNode(0));
        }

        return documents;
    }

    private YamlNode ReadNode(int depth)
    {
        var start = parser.Current!;
        if (depth > DeepestNode || ++nodes > MostNodes)
            throw Refused(start.Start, depth > DeepestNode ? "it is nested too deeply" : "it has too many nodes");
        if (start is AnchorAlias alias)
        {
            return anchors.GetValueOrDefault(alias.Value) is { } target
                ? new YamlAlias(Position(start.Start), Position(start.End), target)
                : throw Refused(start.Start, $"no node before it has the anchor '{Text.Sanitize(alias.Value.Value)}'");
        }

        var anchor = start is NodeEvent { Anchor.IsEmpty: false } named ? named.Anchor : AnchorName.Empty;
        if (!anchor.IsEmpty)
            anchors[anchor] = null;
        YamlNode node = start switch
        {
            Scalar scalar => new YamlText(Position(start.Start), Position(start.End), scalar.Value, scalar.Style),
            SequenceStart => ReadList(start, depth),
            MappingStart mapping => ReadMap(mapping, depth),
            _ => throw Refused(start.Start, "it is not a document"),
        };
        if (anchor.IsEmpty)
            return node;
        node = node with { IsAnchored = true };
        anchors[anchor] = node;
        return node;
    }

    private YamlList ReadList(ParsingEvent start, int depth)
    {
        var items = new List<YamlNode>();
        while (parser.MoveNext() && parser.Current is not SequenceEnd)
            items.Add(ReadNode(depth + 1));
        return new YamlList(Position(start.Start), Position(parser.Current!.End), items);
    }

    private YamlMap ReadMap(MappingStart start, int depth)
    {
        var entries = new List<KeyValuePair<YamlNode, YamlNode>>();
        while (parser.MoveNext() && parser.Current is not MappingEnd)
        {
            var key = ReadNode(depth + 1);
            parser.MoveNext();
            entries.Add(new(key, ReadNode(depth + 1)));
        }

        return new YamlMap(Position(start.Start), Position(parser.Current!.End), start.Style == MappingStyle.Flow, entries);
    }

    private static int Position(Mark mark) => (int)mark.Index;
}
