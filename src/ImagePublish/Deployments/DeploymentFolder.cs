using System.Text;
using ImagePublish.Oci;

namespace ImagePublish.Deployments;

/// <summary>A folder of deployment files with digests, made of others without.</summary>
/// <remarks>
/// Several projects write into it, one after the other, each the digest of its own image. A file <c>.image-manifests</c> records the hash
/// of each source that a result was made of: while it is the same, the result is continued, and keeps the others' digests.
/// </remarks>
internal sealed class DeploymentFolder
{
    private const string RecordName = ".image-manifests";

    private readonly string folder;
    private readonly Dictionary<string, string> recorded;
    private readonly Dictionary<string, byte[]> currents = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, string> record = new(StringComparer.Ordinal);

    private DeploymentFolder(string folder, Dictionary<string, string> recorded) => (this.folder, this.recorded) = (folder, recorded);

    public static DeploymentFolder Open(string folder)
    {
        var recorded = new Dictionary<string, string>(StringComparer.Ordinal);
        var path = Path.Combine(folder, RecordName);
        if (File.Exists(path))
        {
            foreach (var line in Encoding.UTF8.GetString(DeploymentFile.Read(path, path)).Split('\n'))
            {
                if (line.Split(' ', 2) is [var hash, var name])
                    recorded[name] = hash;
            }
        }

        return new DeploymentFolder(folder, recorded);
    }

    /// <summary>What a file is continued from: its result, if that was made of the source as it is now, else the source.</summary>
    public byte[] Current(DeploymentFile file)
    {
        var source = DeploymentFile.Read(file.Source, file.Shown);
        var (name, hash) = (NameOf(file), Digest.Compute(source).Value);
        record[name] = hash;
        var current =
            recorded.GetValueOrDefault(name) == hash && File.Exists(file.Target) ? DeploymentFile.Read(file.Target, file.Target) : source;
        return currents[file.Target] = current;
    }

    /// <summary>What is to be written: every file that is not there as it should be, and the record.</summary>
    public IEnumerable<(string Path, byte[] Content)> Writes(IReadOnlyList<DeploymentFile> files, IReadOnlyList<DeploymentUpdate> updates)
    {
        var updated = updates.ToDictionary(update => update.File.Target, update => update.Content, StringComparer.Ordinal);
        foreach (var file in files)
        {
            var content = updated.GetValueOrDefault(file.Target) ?? currents[file.Target];
            if (!File.Exists(file.Target) || !DeploymentFile.Read(file.Target, file.Target).AsSpan().SequenceEqual(content))
                yield return (file.Target, content);
        }

        foreach (var (name, hash) in recorded)
            record.TryAdd(name, hash);
        var lines = string.Concat(record.Select(one => $"{one.Value} {one.Key}\n"));
        yield return (Path.Combine(folder, RecordName), Encoding.UTF8.GetBytes(lines));
    }

    private string NameOf(DeploymentFile file) => Path.GetRelativePath(folder, file.Target).Replace('\\', '/');
}
