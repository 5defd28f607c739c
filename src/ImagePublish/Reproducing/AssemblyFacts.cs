using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace ImagePublish.Reproducing;

/// <summary>What an assembly says of its own compilation. It may be anybody's: whatever can't be read is left out.</summary>
internal sealed record AssemblyFacts
{
    private const int MaxPdbLength = 64 << 20;
    private const int MaxText = 4096;
    private const string InformationalVersionAttribute = "AssemblyInformationalVersionAttribute";

    public required string Name { get; init; }

    /// <summary>The identity that the compiler gave the module: the same for the same sources, options and references.</summary>
    public required Guid Mvid { get; init; }

    /// <summary><c>1.0.0+commit</c>, as the SDK writes it.</summary>
    public string? InformationalVersion { get; init; }

    /// <summary>Where the compiler wrote the symbols, in the folder that it compiled in.</summary>
    public string? PdbPath { get; init; }

    /// <summary>Whether the compiler marked its output as deterministic.</summary>
    public bool IsDeterministic { get; init; }

    /// <summary>The versions of the assemblies that it was compiled against.</summary>
    public IReadOnlyDictionary<string, string> References { get; init; } = new Dictionary<string, string>();

    public PdbFacts? EmbeddedPdb { get; init; }

    public static AssemblyFacts? TryRead(byte[] bytes)
    {
        try
        {
            using var image = new PEReader([.. bytes]);
            if (!image.HasMetadata)
                return null;
            var reader = image.GetMetadataReader();
            return reader.IsAssembly ? Read(image, reader) : null;
        }
        catch (Exception exception) when (PdbFacts.IsDamage(exception))
        {
            return null;
        }
    }

    private static AssemblyFacts Read(PEReader image, MetadataReader reader)
    {
        var entries = image.ReadDebugDirectory();
        var codeView = entries.Where(entry => entry.Type == DebugDirectoryEntryType.CodeView && entry.DataSize < MaxText).ToList();
        return new AssemblyFacts
        {
            Name = reader.GetString(reader.GetAssemblyDefinition().Name),
            Mvid = reader.GetGuid(reader.GetModuleDefinition().Mvid),
            InformationalVersion = FindInformationalVersion(reader),
            PdbPath = codeView.Count == 0 ? null : image.ReadCodeViewDebugDirectoryData(codeView[0]).Path,
            IsDeterministic = entries.Any(entry => entry.Type == DebugDirectoryEntryType.Reproducible),
            References = reader
                .AssemblyReferences.Select(reader.GetAssemblyReference)
                .DistinctBy(reference => reader.GetString(reference.Name))
                .ToDictionary(reference => reader.GetString(reference.Name), reference => reference.Version.ToString()),
            EmbeddedPdb = ReadEmbedded(image, entries),
        };
    }

    private static PdbFacts? ReadEmbedded(PEReader image, ImmutableArray<DebugDirectoryEntry> entries)
    {
        var embedded = entries.Where(entry => entry.Type == DebugDirectoryEntryType.EmbeddedPortablePdb).ToList();
        if (embedded.Count == 0)
            return null;
        // 'MPDB' and the length that it inflates to, for which memory is taken before anything is read.
        var head = image.GetSectionData(embedded[0].DataRelativeVirtualAddress).GetContent(0, 8);
        if (BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan()[4..]) is < 0 or > MaxPdbLength)
            return null;
        using var provider = image.ReadEmbeddedPortablePdbDebugDirectoryData(embedded[0]);
        return PdbFacts.Read(provider.GetMetadataReader());
    }

    private static string? FindInformationalVersion(MetadataReader reader)
    {
        foreach (var handle in reader.GetAssemblyDefinition().GetCustomAttributes())
        {
            var attribute = reader.GetCustomAttribute(handle);
            if (
                attribute.Constructor.Kind != HandleKind.MemberReference
                || reader.GetMemberReference((MemberReferenceHandle)attribute.Constructor).Parent
                    is not { Kind: HandleKind.TypeReference } type
                || !reader.StringComparer.Equals(reader.GetTypeReference((TypeReferenceHandle)type).Name, InformationalVersionAttribute)
            )
                continue;
            var value = reader.GetBlobReader(attribute.Value);
            // Every value begins with 0x0001 (ECMA-335, II.23.3).
            return value.Length < MaxText && value.ReadUInt16() == 1 ? value.ReadSerializedString() : null;
        }

        return null;
    }
}

/// <summary>What portable symbols say of a compilation.</summary>
internal sealed record PdbFacts
{
    // https://github.com/dotnet/runtime/blob/main/docs/design/specs/PortablePdb-Metadata.md
    private static readonly Guid CompilationOptions = new("B5FEEC05-8CD0-4A83-96DA-466284BB4BD8");
    private static readonly Guid Sha256 = new("8829d00f-11b8-4213-878b-770e8597ac16");

    private const int MaxOptions = 200;
    private const int MaxDocuments = 20_000;

    /// <summary>Such as <c>compiler-version</c>, <c>optimization</c> and <c>define</c>.</summary>
    public IReadOnlyDictionary<string, string> Options { get; init; } = new Dictionary<string, string>();

    /// <summary>The SHA-256 of each source, by the path that the compiler knew it by.</summary>
    public IReadOnlyDictionary<string, string> Sources { get; init; } = new Dictionary<string, string>();

    public static PdbFacts? TryRead(byte[] bytes)
    {
        try
        {
            using var provider = MetadataReaderProvider.FromPortablePdbImage([.. bytes]);
            return Read(provider.GetMetadataReader());
        }
        catch (Exception exception) when (IsDamage(exception))
        {
            return null;
        }
    }

    internal static PdbFacts Read(MetadataReader reader)
    {
        var sources = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var document in reader.Documents.Take(MaxDocuments).Select(reader.GetDocument))
        {
            if (!document.Hash.IsNil && reader.GetGuid(document.HashAlgorithm) == Sha256)
                sources[reader.GetString(document.Name)] = Convert.ToHexStringLower(reader.GetBlobBytes(document.Hash));
        }

        return new PdbFacts { Options = ReadOptions(reader), Sources = sources };
    }

    /// <summary>Whether an exception of the metadata reader says that the file is not what it should be.</summary>
    internal static bool IsDamage(Exception exception) =>
        exception
            is BadImageFormatException
                or InvalidOperationException
                or ArgumentException
                or OverflowException
                or IOException
                or InvalidDataException
                or InvalidCastException
                or OutOfMemoryException;

    private static Dictionary<string, string> ReadOptions(MetadataReader reader)
    {
        var options = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var handle in reader.GetCustomDebugInformation(EntityHandle.ModuleDefinition))
        {
            var information = reader.GetCustomDebugInformation(handle);
            if (reader.GetGuid(information.Kind) != CompilationOptions)
                continue;
            // Pairs of texts, each ended by a zero.
            var parts = System.Text.Encoding.UTF8.GetString(reader.GetBlobBytes(information.Value)).Split('\0', (MaxOptions * 2) + 1);
            for (var index = 0; index + 1 < parts.Length; index += 2)
                options[parts[index]] = parts[index + 1];
        }

        return options;
    }
}
