using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Layers;

/// <summary>What an image's layers make of each other: its directories, files and links, so that what is put on top respects them.</summary>
/// <remarks><see href="https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#applying-changesets">image-spec, Applying Changesets</see>.</remarks>
public sealed class BaseFileSystem
{
    internal const string PasswdPath = "etc/passwd";
    internal const string GroupPath = "etc/group";

    /// <summary>As many as Linux follows.</summary>
    private const int MaxHops = 40;

    private readonly Node root = new(new LayerEntryInfo("", LayerEntryInfoKind.Directory));
    private readonly Dictionary<string, string> texts = new(StringComparer.Ordinal);

    /// <summary>Lays layers over each other.</summary>
    /// <param name="layers">The layers, from the bottom up.</param>
    public BaseFileSystem(IEnumerable<LayerListing> layers)
    {
        foreach (var layer in layers)
            Apply(layer);
    }

    /// <summary>An image without files.</summary>
    public static BaseFileSystem Empty { get; } = new([]);

    /// <summary>The image's users and groups.</summary>
    public Accounts Accounts => new(TextOf(PasswdPath), TextOf(GroupPath));

    /// <summary>Finds what is at a path, without following a link that is the last part of it.</summary>
    /// <param name="path">The path, without a leading <c>/</c>.</param>
    /// <returns>What is there, or null.</returns>
    public LayerEntryInfo? Find(string path) => NodeAt(path)?.Entry;

    /// <summary>The path that a path leads to when every link but a last one is followed, as writing to it in a container would.</summary>
    /// <param name="path">The path, without a leading <c>/</c> and <c>..</c>.</param>
    /// <param name="followLast">Whether a link that is the last part is followed, too.</param>
    /// <returns>The path in the image.</returns>
    /// <exception cref="ImagePublishException"><c>IMG1016</c>: the links go in circles, or a part is a file.</exception>
    public string Resolve(string path, bool followLast)
    {
        var hops = 0;
        var place = new Stack<string>();
        var ahead = new Stack<string>(path.Split('/').Reverse());
        while (ahead.TryPop(out var name))
        {
            if (name is "" or ".")
                continue;
            if (name == "..")
            {
                place.TryPop(out _);
                continue;
            }

            place.Push(name);
            var here = Find(string.Join('/', place.Reverse()));
            if (here is null || here.Kind == LayerEntryInfoKind.Directory || (ahead.Count == 0 && !(followLast && here.Kind == LayerEntryInfoKind.SymbolicLink)))
                continue;
            if (here.Kind != LayerEntryInfoKind.SymbolicLink)
                throw Unusable($"'/{Text.Shown(here.Path)}' is a file in the base image, so nothing can lie below it");
            if (++hops > MaxHops)
                throw Unusable($"the base image's link '/{Text.Shown(here.Path)}' goes in circles");
            Follow(here.LinkTarget!, place, ahead);
        }

        return string.Join('/', place.Reverse());
    }

    /// <summary>The names in a folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <returns>The names, in order; none where there is no such folder.</returns>
    public IEnumerable<string> NamesIn(string folder) => NodeAt(Resolve(folder, followLast: true))?.Children.Keys.Order(StringComparer.Ordinal) ?? Enumerable.Empty<string>();

    /// <summary>Everything in it, each with the attributes of the last layer that has it.</summary>
    /// <returns>The entries, in no order.</returns>
    public IEnumerable<LayerEntryInfo> All()
    {
        var open = new Stack<Node>(root.Children.Values);
        while (open.TryPop(out var node))
        {
            yield return node.Entry;
            foreach (var child in node.Children.Values)
                open.Push(child);
        }
    }

    /// <summary>The content of those of the <see cref="KeptFiles"/> that are still there.</summary>
    /// <returns>Path and content.</returns>
    public IEnumerable<KeyValuePair<string, string>> AllTexts() => texts.Where(text => NodeAt(text.Key) is not null);

    /// <summary>Everything below a folder that is no folder itself.</summary>
    /// <param name="folder">The folder; links on the way are followed.</param>
    /// <returns>The paths in the image, in no order; none where there is no such folder.</returns>
    public IEnumerable<string> FilesBelow(string folder)
    {
        var ahead = new Stack<Node>();
        if (NodeAt(Resolve(folder, followLast: true)) is { } top)
            ahead.Push(top);
        while (ahead.TryPop(out var node))
        {
            if (node.Entry.Kind != LayerEntryInfoKind.Directory)
                yield return node.Entry.Path;
            foreach (var child in node.Children.Values)
                ahead.Push(child);
        }
    }

    private static void Follow(string target, Stack<string> place, Stack<string> ahead)
    {
        if (target.StartsWith('/'))
            place.Clear();
        else
            place.Pop();
        foreach (var part in target.Split('/').Reverse())
            ahead.Push(part);
    }

    private static ImagePublishException Unusable(string why) => new(DiagnosticCodes.InvalidTarget, why);

    /// <summary>The content of one of the <see cref="KeptFiles"/>.</summary>
    /// <param name="path">Its path; links are followed.</param>
    /// <returns>The content, empty where there is none.</returns>
    public string TextOf(string path) => Find(Resolve(path, followLast: true)) is { } entry && texts.TryGetValue(entry.Path, out var text) ? text : "";

    private Node? NodeAt(string path)
    {
        var node = root;
        foreach (var name in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!node.Children.TryGetValue(name, out var child))
                return null;
            node = child;
        }

        return node;
    }

    // Whiteouts are about the layers below, wherever they stand in their own.
    private void Apply(LayerListing layer)
    {
        foreach (var entry in layer.Entries.Where(entry => entry.IsWhiteout))
            Remove(entry);
        foreach (var entry in layer.Entries.Where(entry => !entry.IsWhiteout))
            Put(entry);
        foreach (var (path, text) in layer.Texts)
            texts[path] = text;
    }

    private void Remove(LayerEntryInfo whiteout)
    {
        var path = whiteout.Removes!;
        if (whiteout.IsOpaqueWhiteout)
            NodeAt(path)?.Children.Clear();
        else
            NodeAt(LayerPath.ParentOf(path))?.Children.Remove(path[(path.LastIndexOf('/') + 1)..]);
    }

    private void Put(LayerEntryInfo entry)
    {
        var node = root;
        foreach (var parent in LayerPath.ParentsOf(entry.Path).Reverse())
            node = node.Child(parent, () => new LayerEntryInfo(parent, LayerEntryInfoKind.Directory) { Mode = Modes.Executable });
        var own = node.Child(entry.Path, () => entry);
        own.Entry = entry;
        if (entry.Kind != LayerEntryInfoKind.Directory)
            own.Children.Clear();
    }

    private sealed class Node(LayerEntryInfo entry)
    {
        public LayerEntryInfo Entry { get; set; } = entry;

        public Dictionary<string, Node> Children { get; } = new(StringComparer.Ordinal);

        public Node Child(string path, Func<LayerEntryInfo> create)
        {
            var name = path[(path.LastIndexOf('/') + 1)..];
            if (!Children.TryGetValue(name, out var child))
                Children.Add(name, child = new Node(create()));
            return child;
        }
    }
}
