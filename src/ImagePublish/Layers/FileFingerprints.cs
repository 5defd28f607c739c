using System.Security.Cryptography;

namespace ImagePublish.Layers;

/// <summary>Fingerprints of files' contents: whether a file changed is decided by its bytes, not by when it was modified.</summary>
/// <remarks>
/// A tag is a chain of GMACs (AES-GCM over no text; <see href="https://csrc.nist.gov/pubs/sp/800/38/d/final">NIST SP 800-38D</see>) under a
/// key that is random for each store. Processors compute it as fast as they read memory, five times as fast as SHA-256. Two different
/// contents have the same tag with a chance of 2⁻¹⁰⁰. Tags stay in the store and prove nothing to anyone else; what leaves the machine is
/// named by SHA-256.
/// </remarks>
internal sealed class FileFingerprints
{
    public const int KeySize = 16;

    private readonly byte[] key;
    private readonly FileTagTable earlier;
    private readonly DateTimeOffset now;
    private readonly Dictionary<string, FileTag> tags = new(StringComparer.Ordinal);
    private readonly Lock gate = new();
    private volatile bool isAnyNew;

    /// <param name="key">The key of the tags, <see cref="KeySize"/> bytes.</param>
    /// <param name="earlier">What an earlier build computed under the same key, for files that have not changed since.</param>
    /// <param name="now">The present or earlier: what changed shortly before is not remembered.</param>
    public FileFingerprints(byte[] key, FileTagTable? earlier = null, DateTimeOffset now = default)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, KeySize);
        (this.key, this.earlier, this.now) = (key, earlier ?? FileTagTable.Empty, now);
    }

    public static bool AreSupported => AesGcm.IsSupported;

    /// <summary>Computes the tags of files, side by side on all cores. Those that are known are not read again.</summary>
    /// <exception cref="Diagnostics.ImagePublishException"><c>IMG3002</c>: a file can't be read, or changes meanwhile.</exception>
    public Task ComputeAsync(IEnumerable<FileOnDisk> files, CancellationToken cancellationToken)
    {
        // The largest first, so that no core waits long for another.
        var waiting = files.Where(file => !IsKnown(file)).ToArray();
        Array.Sort(waiting, (left, right) => right.Length.CompareTo(left.Length));
        lock (gate)
            tags.EnsureCapacity(tags.Count + waiting.Length);
        var next = -1;
        var workers = new Task[Math.Min(Environment.ProcessorCount, waiting.Length)];
        for (var worker = 0; worker < workers.Length; worker++)
            workers[worker] = Task.Run(Work, cancellationToken);
        return Task.WhenAll(workers);

        void Work()
        {
            var stamps = new FileStampReader(now);
            using var reader = new TagReader(key);
            for (int index; (index = Interlocked.Increment(ref next)) < waiting.Length; )
            {
                cancellationToken.ThrowIfCancellationRequested();
                var tag = Compute(waiting[index], stamps, reader);
                lock (gate)
                    tags[waiting[index].Path] = tag;
            }
        }
    }

    public byte[] Compute(FileOnDisk file) => Find(file).Tag;

    /// <summary>The kind of a file, which was seen when its tag was computed.</summary>
    public FileKind KindOf(FileOnDisk file) => Find(file).Kind;

    /// <summary>What a later build need not read again.</summary>
    /// <returns>Null if that is nothing but what this build was given.</returns>
    public FileTagTable? Remember()
    {
        lock (gate)
            return isAnyNew ? FileTagTable.Create(tags.Values) : null;
    }

    /// <summary>Whether no file changed since it was read, as far as its stamp shows.</summary>
    /// <returns>False where something writes to one of them at the same time: then nothing may be concluded for later.</returns>
    public bool AreAtRest()
    {
        var stamps = new FileStampReader(now);
        lock (gate)
            return tags.All(file => IsAtRest(file.Key, stamps));
    }

    /// <summary>The same for the files of a layer.</summary>
    public bool AreAtRest(LayerInput content)
    {
        var stamps = new FileStampReader(now);
        lock (gate)
            return content.Entries.All(entry => entry.Content is not FileOnDisk file || IsAtRest(file.Path, stamps));
    }

    private bool IsAtRest(string path, FileStampReader stamps) => stamps.Read(path).IsSame(tags[path].Stamp);

    private FileTag Find(FileOnDisk file)
    {
        lock (gate)
            return tags[file.Path];
    }

    private bool IsKnown(FileOnDisk file)
    {
        lock (gate)
            return tags.ContainsKey(file.Path);
    }

    private FileTag Compute(FileOnDisk file, FileStampReader stamps, TagReader reader)
    {
        // Before it is read: what changes afterwards gets another one.
        var stamp = stamps.Read(file.Path);
        if (stamp.Length == file.Length && earlier.Find(stamp) is { } known)
            return known;
        isAnyNew |= stamp.IsLasting;
        return reader.Read(file, stamp);
    }

    /// <summary>Reads files. What it needs for it is only created if there is one to be read.</summary>
    private sealed class TagReader(byte[] key) : IDisposable
    {
        private const int PartSize = 256 * 1024;

        private const int NonceSize = 12;

        private AesGcm? mac;

        // It begins with the tag of what came before.
        private byte[] buffer = [];

        public void Dispose() => mac?.Dispose();

        public FileTag Read(FileOnDisk file, FileStamp stamp)
        {
            if (mac is null)
                (mac, buffer) = (new AesGcm(key, FileTag.Size), new byte[FileTag.Size + PartSize]);
            var tag = buffer.AsSpan(0, FileTag.Size);
            tag.Clear();
            Span<byte> nonce = stackalloc byte[NonceSize];
            nonce.Clear();
            using var handle = DiskFiles.Open(file.Path);
            var kind = FileKind.Other;
            for (long offset = 0; ; )
            {
                var read = DiskFiles.Read(handle, file.Path, buffer.AsSpan(FileTag.Size, PartSize), offset);
                if (offset == 0)
                    kind = Modes.KindOf(buffer.AsSpan(FileTag.Size, read));
                if (read == 0)
                    return offset == file.Length
                        ? new FileTag(tag.ToArray(), kind, stamp)
                        : throw DiskFiles.Changed(file.Path, $"became another length (from {file.Length} to {offset} bytes)");
                mac.Encrypt(nonce, [], [], tag, buffer.AsSpan(0, FileTag.Size + read));
                offset += read;
            }
        }
    }
}
