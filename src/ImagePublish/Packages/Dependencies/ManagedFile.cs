using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace ImagePublish.Packages.Dependencies;

/// <summary>What an assembly uses that needs something of the system.</summary>
internal sealed record ManagedFile(IReadOnlyList<string> Libraries, IReadOnlyList<string> Assemblies, bool UsesTimeZones)
{
    private static readonly string[] ZoneLookups =
    [
        "FindSystemTimeZoneById",
        "TryFindSystemTimeZoneById",
        "ConvertTimeBySystemTimeZoneId",
        "GetSystemTimeZones",
    ];

    public static ManagedFile? TryRead(Stream file)
    {
        try
        {
            using var image = new PEReader(file, PEStreamOptions.LeaveOpen);
            return image.HasMetadata ? Read(image.GetMetadataReader()) : null;
        }
        catch (BadImageFormatException)
        {
            return null;
        }
    }

    private static ManagedFile Read(MetadataReader reader)
    {
        var libraries = new List<string>();
        for (var row = 1; row <= reader.GetTableRowCount(TableIndex.ModuleRef); row++)
            libraries.Add(reader.GetString(reader.GetModuleReference(MetadataTokens.ModuleReferenceHandle(row)).Name));
        var assemblies = reader.AssemblyReferences.Select(handle => reader.GetString(reader.GetAssemblyReference(handle).Name));
        return new ManagedFile(
            libraries,
            [.. assemblies],
            reader.MemberReferences.Any(handle => LooksUpZone(reader, reader.GetMemberReference(handle)))
        );
    }

    private static bool LooksUpZone(MetadataReader reader, MemberReference member) =>
        member.Parent.Kind == HandleKind.TypeReference
        && reader.StringComparer.Equals(reader.GetTypeReference((TypeReferenceHandle)member.Parent).Name, "TimeZoneInfo")
        && ZoneLookups.Any(name => reader.StringComparer.Equals(member.Name, name));
}
