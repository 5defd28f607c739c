using System.Globalization;
using System.Text;
using ImagePublish.Common;

namespace ImagePublish.Layers;

/// <summary>Writes the headers of a layer's tar: POSIX ustar, with PAX records for what ustar can't hold.</summary>
/// <remarks>
/// PAX rather than GNU extensions, because Windows layers need PAX anyway: one mechanism.
/// <see href="https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_02">POSIX pax, pax Header Block</see>.
/// </remarks>
internal static class LayerTarHeaders
{
    private const int MaxId = 0x1FFFFF;

    private const long MaxSize = 0x1FFFFFFFF;

    /// <summary>Writes an entry's header, with the PAX header it needs before it.</summary>
    public static void Write(LayerEntry entry, BlockWriter output)
    {
        var name = entry.Kind == LayerEntryKind.Directory ? entry.Path + "/" : entry.Path;
        var size = entry.Content?.Length ?? 0;
        if (PaxRecords(entry, name, size) is { Length: > 0 } records)
        {
            output.Write(TarHeaders.Create(new TarHeaderFields("PaxHeaders/" + name, TarHeaders.Pax, Modes.Plain, records.Length)));
            output.Write(records);
            output.PadTo(TarHeaders.BlockSize);
        }

        var header = new TarHeaderFields(name, TypeOf(entry.Kind), entry.Mode, size)
        {
            LinkName = entry.LinkTarget ?? "",
            Uid = Math.Min(entry.Uid, MaxId),
            Gid = Math.Min(entry.Gid, MaxId),
            Modified = DateTime.UnixEpoch.AddSeconds(Math.Min(entry.Modified.ToUnixTimeSeconds(), int.MaxValue)),
        };
        output.Write(TarHeaders.Create(header));
    }

    private static byte TypeOf(LayerEntryKind kind) =>
        kind switch
        {
            LayerEntryKind.Directory => TarHeaders.Directory,
            LayerEntryKind.File => TarHeaders.File,
            LayerEntryKind.HardLink => TarHeaders.HardLink,
            _ => TarHeaders.SymbolicLink,
        };

    private static byte[] PaxRecords(LayerEntry entry, string name, long size)
    {
        var records = new SortedList<string, string>(StringComparer.Ordinal);
        if (entry.PaxAttributes is { } attributes)
        {
            foreach (var (key, value) in attributes)
                records.Add(key, value);
        }

        if (!FitsHeader(name))
            records["path"] = name;
        if (entry.LinkTarget is { } target && !FitsHeader(target))
            records["linkpath"] = target;
        AddIfBeyond(records, "uid", entry.Uid, MaxId);
        AddIfBeyond(records, "gid", entry.Gid, MaxId);
        AddIfBeyond(records, "size", size, MaxSize);
        AddIfBeyond(records, "mtime", entry.Modified.ToUnixTimeSeconds(), int.MaxValue);
        return records.Count == 0 ? [] : [.. records.SelectMany(record => TarHeaders.PaxRecord(record.Key, record.Value))];
    }

    private static bool FitsHeader(string name) => name.Length <= TarHeaders.MaxNameLength && Ascii.IsValid(name);

    private static void AddIfBeyond(SortedList<string, string> records, string key, long value, long max)
    {
        if (value > max)
            records[key] = value.ToString(CultureInfo.InvariantCulture);
    }
}
