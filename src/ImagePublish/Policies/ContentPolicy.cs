using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;

namespace ImagePublish.Policies;

/// <summary>What should never ship: keys, credentials, sources, files that anybody can write, one assembly in two versions.</summary>
/// <remarks>
/// Names and sizes decide for nearly all files. What packages bring is public, and is not looked at. Only small files whose names may be
/// those of secrets are read.
/// </remarks>
internal sealed class ContentPolicy(PolicyRequest policy, IReadOnlyCollection<PublishItem> items, bool isWindows)
{
    private const int MaxListed = 10;

    private static readonly string[] SourceExtensions = [".cs", ".vb", ".fs", ".csproj", ".vbproj", ".fsproj", ".sln", ".slnx", ".slnf"];
    private static readonly string[] VersionControl = [".git", ".svn", ".hg"];

    private readonly PathPatterns allowed = new(policy.AllowedFiles);
    private readonly Dictionary<string, PublishItem> known = LayerLayout.ByPath(items);

    /// <summary>How many files were read.</summary>
    public int FilesRead { get; private set; }

    /// <exception cref="ImagePublishException"><c>IMG3002</c>: a file can't be read.</exception>
    public IReadOnlyList<Finding> Find(IReadOnlyCollection<LayerEntry> entries, CancellationToken cancellationToken)
    {
        var own = entries.Where(entry => IsOwn(entry) && !IsAllowed(entry)).ToList();
        return [.. FindSecrets(own, cancellationToken), .. FindDevelopmentFiles(own), .. FindWritable(own), .. FindVersions(entries)];
    }

    private bool IsOwn(LayerEntry entry) =>
        entry.Package is null
        && (
            entry.PublishPath is not { } path
            || !known.TryGetValue(path, out var item)
            || (item.Package is null && item.Origin != PublishItemOrigin.Runtime)
        );

    private bool IsAllowed(LayerEntry entry) => policy.AllowedFiles.Count > 0 && allowed.Match(Shown(entry.Path));

    private List<Finding> FindSecrets(List<LayerEntry> entries, CancellationToken cancellationToken)
    {
        var (keys, credentials) = (new List<(string, string)>(), new List<(string, string)>());
        foreach (var entry in entries)
        {
            if (entry.Content is not FileOnDisk file || !SecretFiles.MayHave(entry.Path, file.Length))
                continue;
            cancellationToken.ThrowIfCancellationRequested();
            var content = Read(file);
            FilesRead++;
            var text = SecretFiles.Decode(content);
            if (PrivateKeys.Find(content, text) is { } key)
                keys.Add((entry.Path, key));
            else if (SecretFiles.FindCredentials(entry.Path, text) is { } kind)
                credentials.Add((entry.Path, kind));
        }

        return
        [
            .. Listed(
                DiagnosticCodes.PrivateKeyInImage,
                keys,
                "Anyone who pulls the image can read it, in any layer. Mount it where the app runs"
            ),
            .. Listed(
                DiagnosticCodes.CredentialsInImage,
                credentials,
                "Anyone who pulls the image can read them. Set them where the app runs"
            ),
        ];
    }

    private static byte[] Read(FileOnDisk file)
    {
        using var handle = DiskFiles.Open(file.Path);
        var content = new byte[file.Length];
        var length = 0;
        while (length < content.Length && DiskFiles.Read(handle, file.Path, content.AsSpan(length), length) is > 0 and var read)
            length += read;
        return content[..length];
    }

    private IEnumerable<Finding> Listed(DiagnosticCode code, List<(string Path, string Kind)> found, string advice)
    {
        foreach (var (path, kind) in found.Take(MaxListed))
        {
            yield return new Finding(
                code,
                $"'{Shown(path)}' has {kind}. {advice}, and leave the file out of the publish "
                    + $"(CopyToPublishDirectory=\"Never\"); if it is meant to be public, add '{Shown(path)}' to ImageAllowedFiles."
            );
        }

        if (found.Count > MaxListed)
            yield return new Finding(
                code,
                $"{found.Count - MaxListed} more files have something similar, such as '{Shown(found[MaxListed].Path)}'."
            );
    }

    private IEnumerable<Finding> FindDevelopmentFiles(List<LayerEntry> entries)
    {
        var files = entries.Where(entry => entry.Kind == LayerEntryKind.File).ToList();
        var settings = policy.ForbidsDevelopmentSettings ? files.Where(entry => DevelopmentFiles.AreSettings(entry.Path)).ToList() : [];
        if (settings.Count > 0)
            yield return new Finding(
                DiagnosticCodes.DevelopmentFileInImage,
                $"{Several(settings)} for development only. Set ImageDevelopmentSettings to Omit, which leaves such files out of the image."
            );
        var history = files.Where(IsHistory).ToList();
        if (history.Count > 0)
            yield return new Finding(
                DiagnosticCodes.DevelopmentFileInImage,
                $"{Several(history)} part of a repository of sources, with its whole history. Leave the folder out of the publish."
            );
        var sources = files.Where(entry => IsSource(entry) && !IsHistory(entry)).ToList();
        if (sources.Count > 0)
            yield return new Finding(
                DiagnosticCodes.DevelopmentFileInImage,
                $"{Several(sources)} source code. Leave it out of the publish, or name it in ImageAllowedFiles if the app reads it."
            );
    }

    private static bool IsHistory(LayerEntry entry) =>
        (entry.Path.StartsWith('.') || entry.Path.Contains("/.", StringComparison.Ordinal))
        && entry.Path.Split('/').SkipLast(1).Any(VersionControl.Contains);

    private static bool IsSource(LayerEntry entry) =>
        SourceExtensions.Contains(Path.GetExtension(entry.Path), StringComparer.OrdinalIgnoreCase);

    private string Several(List<LayerEntry> files) =>
        files.Count == 1 ? $"'{Shown(files[0].Path)}' is" : $"'{Shown(files[0].Path)}' and {files.Count - 1} more files are";

    // In a folder with the sticky bit only a file's owner can replace it.
    private IEnumerable<Finding> FindWritable(List<LayerEntry> entries)
    {
        var writable = entries
            .Where(entry =>
                entry.Kind is LayerEntryKind.File or LayerEntryKind.Directory
                && (entry.Mode & UnixFileMode.OtherWrite) != 0
                && (entry.Kind == LayerEntryKind.File || (entry.Mode & UnixFileMode.StickyBit) == 0)
            )
            .ToList();
        if (!isWindows && writable.Count > 0)
            yield return new Finding(
                DiagnosticCodes.WritableByAll,
                $"{Several(writable)} writable by every user of the container. Set Owner to the user that writes there and a Mode such as "
                    + "0755, or 1777 for a folder that all share."
            );
    }

    private IEnumerable<Finding> FindVersions(IReadOnlyCollection<LayerEntry> entries) =>
        AssemblyVersions
            .FindTwice([.. entries.Where(entry => !IsAllowed(entry))])
            .OrderBy(found => found.Name, StringComparer.Ordinal)
            .Take(MaxListed)
            .Select(found => new Finding(
                DiagnosticCodes.AssemblyTwice,
                $"'{Text.Sanitize(found.Name)}' is in the image in different versions: "
                    + string.Join(", ", found.Files.Take(4).Select(file => $"'{Shown(file.Path)}' {file.Version}"))
                    + ". Which one is loaded depends on what loads it first. Reference one version, or name the other in ImageAllowedFiles."
            ));

    // Layers of Windows have the drive in a folder.
    private string Shown(string path)
    {
        const string Drive = "Files/";
        return "/" + Text.Sanitize(isWindows && path.StartsWith(Drive, StringComparison.Ordinal) ? path[Drive.Length..] : path);
    }
}
