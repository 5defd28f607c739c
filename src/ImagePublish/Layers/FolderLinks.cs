using ImagePublish.Common;
using ImagePublish.Diagnostics;

namespace ImagePublish.Layers;

/// <summary>Symbolic links within one folder: they may point anywhere in it, and nowhere else.</summary>
internal static class FolderLinks
{
    private const int MaxHops = 40;

    /// <summary>What a link says in the image: a relative target as it is, one that names the folder by its path on the build machine made
    /// relative.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3001</c>: it leaves the folder.</exception>
    public static string TargetInImage(DirectoryInfo root, string link, string target)
    {
        if (!Path.IsPathRooted(target) && StaysInside(link, Normalise(target)))
            return Normalise(target);

        var full = Path.GetFullPath(target, Path.GetFullPath(LayerPath.ParentOf(link), root.FullName));
        var inside = PathBelow(root.FullName, full)
            ?? (root.ResolveLinkTarget(returnFinalTarget: true) is { } real ? PathBelow(real.FullName, full) : null);
        return inside is null ? throw Leaves(link, target) : Relative(LayerPath.ParentOf(link), inside);
    }

    /// <summary>Follows every link through all others.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3001</c>: one leaves the folder by way of another, or goes in circles.</exception>
    public static void Check(IReadOnlyList<LayerEntry> entries)
    {
        var links = entries
            .Where(entry => entry.Kind == LayerEntryKind.SymbolicLink)
            .ToDictionary(entry => entry.PublishPath!, entry => entry.LinkTarget!, StringComparer.Ordinal);
        foreach (var (link, target) in links)
            Follow(links, link, target);
    }

    private static void Follow(Dictionary<string, string> links, string link, string target)
    {
        var hops = 1;
        var folders = new Stack<string>(LayerPath.ParentOf(link).Split('/', StringSplitOptions.RemoveEmptyEntries));
        var ahead = new Stack<string>(target.Split('/').Reverse());
        while (ahead.TryPop(out var name))
        {
            if (name is "" or ".")
                continue;
            if (name == "..")
            {
                if (!folders.TryPop(out _))
                    throw Leaves(link, target);
                continue;
            }

            folders.Push(name);
            if (!links.TryGetValue(string.Join('/', folders.Reverse()), out var next))
                continue;
            if (++hops > MaxHops)
                throw new ImagePublishException(
                    DiagnosticCodes.UnsafePath,
                    $"The symbolic link '{Text.Sanitize(link)}' → '{Text.Sanitize(target)}' goes in circles. Fix it, or "
                        + "leave it out of the publish output."
                );
            folders.Pop();
            foreach (var part in next.Split('/').Reverse())
                ahead.Push(part);
        }
    }

    private static bool StaysInside(string link, string target)
    {
        var depth = LayerPath.ParentOf(link).Split('/', StringSplitOptions.RemoveEmptyEntries).Length;
        return target
            .Split('/')
            .All(part =>
                (
                    depth += part switch
                    {
                        "" or "." => 0,
                        ".." => -1,
                        _ => 1,
                    }
                ) >= 0
            );
    }

    private static string? PathBelow(string folder, string full) =>
        full.Equals(folder, StringComparison.Ordinal) ? ""
        : full.StartsWith(Path.TrimEndingDirectorySeparator(folder) + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? Normalise(Path.GetRelativePath(folder, full))
        : null;

    private static string Relative(string from, string to)
    {
        var source = from.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var target = to.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var common = source.Zip(target).TakeWhile(pair => pair.First == pair.Second).Count();
        var relative = string.Join('/', Enumerable.Repeat("..", source.Length - common).Concat(target.Skip(common)));
        return relative.Length == 0 ? "." : relative;
    }

    private static string Normalise(string path) => OperatingSystem.IsWindows() ? path.Replace('\\', '/') : path;

    private static ImagePublishException Leaves(string link, string target) =>
        new(
            DiagnosticCodes.UnsafePath,
            $"The symbolic link '{Text.Sanitize(link)}' → '{Text.Sanitize(target)}' leaves the publish folder, and would "
                + "point at nothing in the image. Publish the file itself, or leave the link out."
        );
}
