using System.Text;

namespace ImagePublish.Packages.Dependencies;

/// <summary>What an app, or some of its files, need of the system.</summary>
internal sealed class AppDependencies
{
    private readonly Dictionary<string, string> libraries = new(StringComparer.Ordinal);
    private readonly HashSet<string> assemblies = new(StringComparer.Ordinal);

    /// <summary>The libraries that the loader looks for, each with a file that needs it.</summary>
    public IReadOnlyDictionary<string, string> Libraries => libraries;

    /// <summary>The names of the assemblies that are referred to.</summary>
    public IReadOnlySet<string> Assemblies => assemblies;

    /// <summary>A file that asks for time zones by name; null if none does.</summary>
    public string? TimeZones { get; private set; }

    /// <summary>A file that draws text; null if none does.</summary>
    public string? Fonts { get; private set; }

    public bool IsInvariant { get; private set; }

    public void NeedLibrary(string library, string file) => libraries.TryAdd(library, file);

    public void NeedAssemblies(IEnumerable<string> names) => assemblies.UnionWith(names);

    public void NeedTimeZones(string file) => TimeZones ??= file;

    public void NeedFonts(string file) => Fonts ??= file;

    public void NeedNoCultures() => IsInvariant = true;

    /// <summary>Adds what other files need. Where both name a file for something, the one that was there first stays.</summary>
    public void Add(AppDependencies others)
    {
        foreach (var (library, file) in others.libraries)
            libraries.TryAdd(library, file);
        assemblies.UnionWith(others.assemblies);
        TimeZones ??= others.TimeZones;
        Fonts ??= others.Fonts;
        IsInvariant |= others.IsInvariant;
    }

    /// <summary>Writes it for <see cref="Read"/>.</summary>
    public byte[] Write()
    {
        var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes, Encoding.UTF8);
        writer.Write(IsInvariant);
        writer.Write(TimeZones ?? "");
        writer.Write(Fonts ?? "");
        writer.Write(libraries.Count);
        foreach (var (library, file) in libraries)
        {
            writer.Write(library);
            writer.Write(file);
        }

        writer.Write(assemblies.Count);
        foreach (var name in assemblies)
            writer.Write(name);
        return bytes.ToArray();
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    public static AppDependencies Read(byte[] bytes)
    {
        using var reader = new BinaryReader(new MemoryStream(bytes), Encoding.UTF8);
        var read = new AppDependencies
        {
            IsInvariant = reader.ReadBoolean(),
            TimeZones = Optional(reader.ReadString()),
            Fonts = Optional(reader.ReadString()),
        };
        for (var left = reader.ReadInt32(); left > 0; left--)
            read.libraries[reader.ReadString()] = reader.ReadString();
        for (var left = reader.ReadInt32(); left > 0; left--)
            read.assemblies.Add(reader.ReadString());
        return read;
    }

    private static string? Optional(string text) => text.Length == 0 ? null : text;
}
