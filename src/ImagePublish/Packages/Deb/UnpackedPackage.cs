using System.Text;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Packages.Model;

namespace ImagePublish.Packages.Deb;

/// <summary>A Debian package whose parts are in a folder: <c>control</c>, its paragraph, and <c>data.tar</c>, its files.</summary>
internal sealed record UnpackedPackage(OsPackage Package, string Folder)
{
    private const int MaxControlSize = 1024 * 1024;
    private const long MaxControlTarSize = 64L * 1024 * 1024;

    // A package that inflates to more than this is an attack.
    private const long MaxDataSize = 8L * 1024 * 1024 * 1024;

    private ControlParagraph? control;
    private HashSet<string>? replaces;

    public string DataTar => Path.Combine(Folder, "data.tar");

    public ControlParagraph Control => control ??= ControlParagraph.ReadAll(File.ReadAllText(Path.Combine(Folder, "control")))[0];

    public IReadOnlySet<string> Replaces =>
        replaces ??= [.. (Control["Replaces"] ?? "").Split(',').Select(name => name.Trim().Split(' ', ':')[0])];

    /// <summary>Takes a package apart.</summary>
    /// <exception cref="ImagePublishException"><c>IMG6008</c>: it is no package, or damaged.</exception>
    public static async Task UnpackAsync(string name, string archive, string folder, CancellationToken cancellationToken)
    {
        try
        {
            IReadOnlyList<ArMember> members;
            await using (var file = File.OpenRead(archive))
                members = ArMember.ReadAll(file);
            if (members is not [{ Name: "debian-binary" }, ..])
                throw new InvalidDataException("it is not a Debian package");
            await using (var control = new LimitedStream(Open(archive, Find(members, "control.tar")), MaxControlTarSize))
                await File.WriteAllTextAsync(
                    Path.Combine(folder, "control"),
                    await ReadControlAsync(name, control, cancellationToken),
                    cancellationToken
                );
            await using var data = Open(archive, Find(members, "data.tar"));
            await using var target = new FileStream(Path.Combine(folder, "data.tar"), FileMode.CreateNew, FileAccess.Write, FileShare.None);
            await CopyAsync(data, target, cancellationToken);
        }
        catch (Exception exception) when (IsDamage(exception))
        {
            throw PackageErrors.Invalid(name, exception.Message, exception);
        }
    }

    internal static bool IsDamage(Exception exception) => exception is InvalidDataException or EndOfStreamException;

    private static ArMember Find(IEnumerable<ArMember> members, string name) =>
        members.FirstOrDefault(member => member.Name == name || member.Name.StartsWith(name + ".", StringComparison.Ordinal))
        ?? throw new InvalidDataException($"it has no {name}");

    private static Stream Open(string archive, ArMember member)
    {
        var file = new FileStream(archive, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1 << 18);
        try
        {
            file.Position = member.Offset;
            var head = new byte[Math.Min(CompressedStream.HeadLength, member.Length)];
            file.ReadExactly(head);
            file.Position = member.Offset;
            var format = CompressedStream.Detect(head);
            // Plain content under another name is in a format that is not recognised, such as lzma's.
            if (format == CompressionFormat.Bzip2 || (format == CompressionFormat.None && Path.GetExtension(member.Name) != ".tar"))
                throw new InvalidDataException($"its '{member.Name}' is not compressed with gzip, zstd or xz");
            return CompressedStream.Open(new SliceStream(file, member.Length), format);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static async Task<string> ReadControlAsync(string name, Stream tar, CancellationToken cancellationToken)
    {
        await using var reader = new BudgetedTarReader(tar, new ContentBudget(why => PackageErrors.Invalid(name, why)));
        while (await reader.NextAsync(cancellationToken) is { } entry)
        {
            if (entry.Name.TrimStart('.', '/') != "control" || entry.DataStream is null || entry.Length > MaxControlSize)
                continue;
            using var text = new StreamReader(entry.DataStream, Encoding.UTF8, leaveOpen: true);
            var control = await text.ReadToEndAsync(cancellationToken);
            return ControlParagraph.ReadAll(control) is [var paragraph, ..]
                ? paragraph.Text
                : throw new InvalidDataException("its control file is empty");
        }

        throw new InvalidDataException("it has no control file");
    }

    private static async Task CopyAsync(Stream source, FileStream target, CancellationToken cancellationToken)
    {
        var buffer = new byte[1 << 18];
        while (await source.ReadAsync(buffer, cancellationToken) is var read && read > 0)
        {
            await target.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            if (target.Length > MaxDataSize)
                throw new InvalidDataException("it inflates to more than any package should");
        }
    }

    private sealed class LimitedStream(Stream inner, long limit) : Common.ReadOnlyStream
    {
        private long left = limit;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = await inner.ReadAsync(buffer, cancellationToken);
            left -= count;
            return left >= 0 ? count : throw new InvalidDataException("its control files inflate to more than any package's should");
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
