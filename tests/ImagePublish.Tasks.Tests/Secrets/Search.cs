using System.IO.Compression;
using System.Text;

namespace ImagePublish.Tasks.Tests.Secrets;

/// <summary>Looks for canaries in all that a build wrote: text, files, and what is within compressed ones.</summary>
internal sealed class Search(IReadOnlyList<Canary> canaries)
{
    /// <summary>Where one was found, and which.</summary>
    public List<string> Found { get; } = [];

    /// <summary>The files that were looked through.</summary>
    public List<string> Files { get; } = [];

    /// <summary>How many bytes were looked through.</summary>
    public long Bytes { get; private set; }

    public Search Text(string place, string text)
    {
        Content(place, Encoding.UTF8.GetBytes(text));
        return this;
    }

    /// <summary>Every file below a folder, also within gzip: layers and binary logs.</summary>
    public Search Folder(string folder, params string[] except)
    {
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Where(file => !except.Contains(file)))
        {
            Content($"name of {file}", Encoding.UTF8.GetBytes(file));
            var content = File.ReadAllBytes(file);
            Content(file, content);
            Files.Add(file);
            if (content is [0x1f, 0x8b, ..])
                Content($"{file}, decompressed", Decompressed(content));
        }

        return this;
    }

    private static byte[] Decompressed(byte[] content)
    {
        using var gzip = new GZipStream(new MemoryStream(content), CompressionMode.Decompress);
        using var plain = new MemoryStream();
        gzip.CopyTo(plain);
        return plain.ToArray();
    }

    private void Content(string place, byte[] content)
    {
        Bytes += content.Length;
        foreach (var canary in canaries)
        {
            if (canary.FormIn(content) is { } form)
                Found.Add($"{canary.Name} as {form} in {place}");
        }
    }
}
