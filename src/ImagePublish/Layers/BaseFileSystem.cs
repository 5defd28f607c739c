using ImagePublish.Common;
using ImagePublish.Diagnostics;

namespace ImagePublish.Layers;

/// <summary>What an image's layers make of each other: its directories, files and links, so that what is put on top respects
/// them.</summary>
/// <remarks>
/// <see href="https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#applying-changesets">image-spec, Applying Changesets</see>.
/// </remarks>
internal sealed class BaseFileSystem
{
    internal const string PasswdPath = "etc/passwd";
    internal const string GroupPath = "etc/group";

    private const int MaxHops = 40;

    private readonly Node root = new("", null) { Own = new LayerEntryInfo("", LayerEntryInfoKind.Directory) };
    private readonly Dictionary<string, string> texts = new(StringComparer.Ordinal);

    /// <summary>Lays layers over each other.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3005</c>: their paths name too many folders.</exception>
    public BaseFileSystem(IEnumerable<LayerListing> layers)
        : this(layers, LayerReader.NewBudget()) { }

    /// <summary>Lays layers over each other whose entries were counted in a budget.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3005</c>: their paths name too many folders.</exception>
    internal BaseFileSystem(IEnumerable<LayerListing> layers, ContentBudget budget)
    {
        foreach (var layer in layers)
            Apply(layer, budget);
    }

    public static BaseFileSystem Empty { get; } = new([]);

    public Accounts Accounts => new(TextOf(PasswdPath), TextOf(GroupPath));

    /// <summary>Finds what is at a path, without following a link that is the last part of it.</summary>
    public LayerEntryInfo? Find(string path) => NodeAt(path)?.Entry;

    /// <summary>The path that a path leads to when every link but a last one is followed, as writing to it in a container would.</summary>
    /// <exception cref="ImagePublishException"><c>IMG1016</c>: the links go in circles, or a part is a file.</exception>
    public string Resolve(string path, bool followLast)
    {
        var hops = 0;
        var steps = new Stack<Step>();
        var ahead = new Stack<string>(path.Split('/').Reverse());
        while (ahead.TryPop(out var name))
        {
            if (name is "" or ".")
                continue;
            if (name == "..")
            {
                steps.TryPop(out _);
                continue;
            }

            var here = (steps.TryPeek(out var above) ? above.Node : root)?.Find(name);
            steps.Push(new Step(name, here));
            if (
                here is null
                || here.Kind == LayerEntryInfoKind.Directory
                || (ahead.Count == 0 && !(followLast && here.Kind == LayerEntryInfoKind.SymbolicLink))
            )
                continue;
            if (here.Kind != LayerEntryInfoKind.SymbolicLink)
                throw Unusable($"'/{Text.Sanitize(here.Entry.Path)}' is a file in the base image, so nothing can be below it");
            if (++hops > MaxHops)
                throw Unusable($"the base image's link '/{Text.Sanitize(here.Entry.Path)}' goes in circles");
            Follow(here.Entry.LinkTarget!, steps, ahead);
        }

        return string.Join('/', steps.Reverse().Select(step => step.Name));
    }

    public IEnumerable<string> NamesIn(string folder) =>
        NodeAt(Resolve(folder, followLast: true))?.Children.Select(child => child.Name).Order(StringComparer.Ordinal)
        ?? Enumerable.Empty<string>();

    /// <summary>Everything in it, each with the attributes of the last layer that has it.</summary>
    public IEnumerable<LayerEntryInfo> All()
    {
        var open = new Stack<Node>(root.Children);
        while (open.TryPop(out var node))
        {
            yield return node.Entry;
            foreach (var child in node.Children)
                open.Push(child);
        }
    }

    /// <summary>Everything below a folder, with its path from the folder on.</summary>
    public IEnumerable<(string Path, LayerEntryInfo Entry)> Below(string folder)
    {
        var ahead = new Stack<(string Path, Node Node)>();
        if (NodeAt(folder) is { } top)
            ahead.Push(("", top));
        while (ahead.TryPop(out var current))
        {
            foreach (var child in current.Node.Children)
            {
                var path = LayerPath.Join(current.Path, child.Name);
                yield return (path, child.Entry);
                ahead.Push((path, child));
            }
        }
    }

    public IEnumerable<KeyValuePair<string, string>> AllTexts() => texts.Where(text => NodeAt(text.Key) is not null);

    public IEnumerable<string> FilesBelow(string folder)
    {
        var ahead = new Stack<Node>();
        if (NodeAt(Resolve(folder, followLast: true)) is { } top)
            ahead.Push(top);
        while (ahead.TryPop(out var node))
        {
            if (node.Kind != LayerEntryInfoKind.Directory)
                yield return node.Entry.Path;
            foreach (var child in node.Children)
                ahead.Push(child);
        }
    }

    private static void Follow(string target, Stack<Step> steps, Stack<string> ahead)
    {
        if (target.StartsWith('/'))
            steps.Clear();
        else
            steps.Pop();
        foreach (var part in target.Split('/').Reverse())
            ahead.Push(part);
    }

    private static ImagePublishException Unusable(string why) => new(DiagnosticCodes.InvalidTarget, why);

    public string TextOf(string path) =>
        Find(Resolve(path, followLast: true)) is { } entry && texts.TryGetValue(entry.Path, out var text) ? text : "";

    private Node? NodeAt(string path)
    {
        var node = root;
        foreach (var part in path.AsSpan().Split('/'))
        {
            var name = path.AsSpan(part);
            if (name.IsEmpty)
                continue;
            if (node.Find(name) is not { } child)
                return null;
            node = child;
        }

        return node;
    }

    // Whiteouts are about the layers below, wherever they stand in their own.
    private void Apply(LayerListing layer, ContentBudget budget)
    {
        foreach (var entry in layer.Entries.Where(entry => entry.IsWhiteout))
            Remove(entry);
        foreach (var entry in layer.Entries.Where(entry => !entry.IsWhiteout))
            Put(entry, budget);
        foreach (var (path, text) in layer.Texts)
            texts[path] = text;
    }

    private void Remove(LayerEntryInfo whiteout)
    {
        var path = whiteout.Removes!;
        if (whiteout.IsOpaqueWhiteout)
            NodeAt(path)?.Clear();
        else
            NodeAt(LayerPath.ParentOf(path))?.Remove(path.AsSpan(path.LastIndexOf('/') + 1));
    }

    private void Put(LayerEntryInfo entry, ContentBudget budget)
    {
        var path = entry.Path.AsSpan();
        var node = root;
        var start = 0;
        for (int end; (end = path[start..].IndexOf('/')) >= 0; start += end + 1)
        {
            var name = path.Slice(start, end);
            if (node.Find(name) is { } folder)
            {
                node = folder;
                continue;
            }

            budget.CountEntry(entry.Path[..(start + end)]);
            node = node.Add(name.ToString());
        }

        var own = node.Find(path[start..]) ?? node.Add(path[start..].ToString());
        own.Own = entry;
        if (entry.Kind != LayerEntryInfoKind.Directory)
            own.Clear();
    }

    /// <summary>A part of a path that is being followed, and what is there; null for nothing.</summary>
    private sealed record Step(string Name, Node? Node);

    // It knows its name and not its path: the paths of a chain of folders are as long as its length squared.
    private sealed class Node(string name, Node? parent)
    {
        private Dictionary<string, Node>? children;

        public string Name => name;

        /// <summary>What a layer says of it; null for a folder that is only named by the path of something in it.</summary>
        public LayerEntryInfo? Own { get; set; }

        public LayerEntryInfoKind Kind => Own?.Kind ?? LayerEntryInfoKind.Directory;

        public LayerEntryInfo Entry => Own ?? new LayerEntryInfo(Path(), LayerEntryInfoKind.Directory) { Mode = Modes.Executable };

        public IEnumerable<Node> Children => children?.Values ?? Enumerable.Empty<Node>();

        public Node? Find(ReadOnlySpan<char> child) =>
            children is not null && children.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(child, out var found) ? found : null;

        public Node Add(string child)
        {
            var added = new Node(child, this);
            (children ??= new(StringComparer.Ordinal)).Add(child, added);
            return added;
        }

        public void Remove(ReadOnlySpan<char> child) => children?.GetAlternateLookup<ReadOnlySpan<char>>().Remove(child);

        public void Clear() => children = null;

        private string Path()
        {
            var names = new Stack<string>();
            for (var node = this; node.Above is { } above; node = above)
                names.Push(node.Name);
            return string.Join('/', names);
        }

        private Node? Above => parent;
    }
}
