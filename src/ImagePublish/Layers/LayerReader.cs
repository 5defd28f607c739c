using System.Formats.Tar;
using System.Runtime.CompilerServices;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Layers;

/// <summary>Reads the entries of a layer as it streams by; nothing is extracted, nothing is kept.</summary>
/// <remarks>
/// Layers come from other people: what they inflate to is limited, what is kept of them has a budget, and whatever is wrong with them is
/// one <c>IMG3005</c>.
/// </remarks>
internal static class LayerReader
{
    private const int MaxDeflateRatio = 1032;

    /// <summary>Reads a layer's entries, in the order they have in it.</summary>
    /// <param name="blob">The layer's blob, plain or compressed; recognised by its first bytes, since media types are not always right. It
    /// is not disposed.</param>
    /// <exception cref="ImagePublishException"><c>IMG3005</c>: it is damaged, inflates beyond the limits, has a path that leaves the image,
    /// or another diff id.</exception>
    public static async IAsyncEnumerable<LayerEntryInfo> ReadAsync(
        Stream blob,
        LayerReaderOptions options,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await using var tar = await InflatedLayer.OpenAsync(blob, options, cancellationToken);
        await using var reader = new BudgetedTarReader(tar, options.Budget ?? NewBudget(options.MaxEntries));
        while (await NextAsync(reader, cancellationToken) is { } entry)
        {
            if (entry.EntryType != TarEntryType.GlobalExtendedAttributes && PathOf(entry.Name) is { Length: > 0 } path)
                yield return InfoOf(entry, path);
        }

        await tar.FinishAsync(cancellationToken);
    }

    /// <summary>Inflates a layer and compares its content with its diff id.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3005</c>: it is damaged, or has another diff id.</exception>
    internal static async Task VerifyAsync(Stream blob, Digest diffId, CancellationToken cancellationToken)
    {
        // Only hashed, never kept: how far it inflates does not matter below deflate's own limit.
        var options = new LayerReaderOptions { DiffId = diffId, MaxRatio = MaxDeflateRatio };
        await using var tar = await InflatedLayer.OpenAsync(blob, options, cancellationToken);
        await tar.FinishAsync(cancellationToken);
    }

    internal static ImagePublishException Invalid(string why, Exception? cause = null) =>
        new(DiagnosticCodes.LayerInvalid, $"A layer can't be read: {why}. Pull or build its image again, or use another.", cause);

    internal static ImagePublishException Damaged(Exception exception) =>
        Invalid($"it is damaged ({Text.Sanitize(exception.Message)})", exception);

    internal static ContentBudget NewBudget() => new(why => Invalid(why));

    /// <summary>Whether an exception of a reader says that the layer is not what it should be.</summary>
    internal static bool IsDamage(Exception exception) => exception is InvalidDataException or EndOfStreamException;

    private static ContentBudget NewBudget(int maxEntries) => new(why => Invalid(why)) { MaxEntries = maxEntries };

    private static async ValueTask<TarEntry?> NextAsync(BudgetedTarReader reader, CancellationToken cancellationToken)
    {
        try
        {
            return await reader.NextAsync(cancellationToken);
        }
        catch (Exception exception) when (IsDamage(exception))
        {
            throw Damaged(exception);
        }
    }

    private static LayerEntryInfo InfoOf(TarEntry entry, string path)
    {
        var kind = KindOf(entry.EntryType);
        return new LayerEntryInfo(path, kind)
        {
            Mode = entry.Mode,
            Uid = entry.Uid,
            Gid = entry.Gid,
            Modified = entry.ModificationTime,
            Length = kind == LayerEntryInfoKind.File ? entry.Length : 0,
            LinkTarget = kind switch
            {
                LayerEntryInfoKind.HardLink => PathOf(entry.LinkName),
                LayerEntryInfoKind.SymbolicLink => entry.LinkName,
                _ => null,
            },
            Content = kind == LayerEntryInfoKind.File && entry.DataStream is { } content ? new ContentStream(content, entry.Length) : null,
        };
    }

    private static LayerEntryInfoKind KindOf(TarEntryType type) =>
        type switch
        {
            TarEntryType.Directory or TarEntryType.DirectoryList => LayerEntryInfoKind.Directory,
            TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile => LayerEntryInfoKind.File,
            TarEntryType.SymbolicLink => LayerEntryInfoKind.SymbolicLink,
            TarEntryType.HardLink => LayerEntryInfoKind.HardLink,
            _ => LayerEntryInfoKind.Other,
        };

    private static string PathOf(string name)
    {
        var parts = name.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(part => part != ".").ToArray();
        return parts.Contains("..") || name.Contains('\0', StringComparison.Ordinal)
            ? throw Invalid($"its entry '{Text.Sanitize(name)}' leaves the image")
            : string.Join('/', parts);
    }

    // Whoever reads a file of a layer must not need to know how a tar, gzip or zstd fails.
    private sealed class ContentStream(Stream content, long length) : SliceStream(content, length, leaveOpen: true)
    {
        public override int Read(Span<byte> buffer)
        {
            try
            {
                return Checked(base.Read(buffer), buffer.Length);
            }
            catch (Exception exception) when (IsDamage(exception))
            {
                throw Damaged(exception);
            }
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            try
            {
                return Checked(await base.ReadAsync(buffer, cancellationToken), buffer.Length);
            }
            catch (Exception exception) when (IsDamage(exception))
            {
                throw Damaged(exception);
            }
        }

        private int Checked(int read, int wanted) =>
            read > 0 || wanted == 0 || Position >= Length ? read : throw Invalid("it is cut short");
    }
}

/// <summary>How far a layer from elsewhere is trusted.</summary>
internal sealed record LayerReaderOptions
{
    /// <summary>The diff id that the tar must have; null when it is not known. Checked once all entries were read.</summary>
    public Digest? DiffId { get; init; }

    public long MaxLength { get; init; } = 64L << 30;

    /// <summary>How many times larger than the blob the tar may be, once it is larger than <see cref="FreeLength"/>.</summary>
    public int MaxRatio { get; init; } = 200;

    /// <summary>The bytes up to which the ratio does not matter: small layers of zeros are harmless.</summary>
    public long FreeLength { get; init; } = 256L << 20;

    public int MaxEntries { get; init; } = 2_000_000;

    /// <summary>What the layer shares with the others of its image, in place of <see cref="MaxEntries"/>; null where it is read
    /// alone.</summary>
    internal ContentBudget? Budget { get; init; }
}
