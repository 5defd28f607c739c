using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace ImagePublish.Sboms;

/// <summary>The assemblies that an ahead-of-time compiler took something from, as its statistics (<c>.mstat</c>) name them.</summary>
internal static class CompiledAssemblies
{
    private const long MaxLength = 256 << 20;

    /// <returns>Their names; null where the file is missing or can't be read.</returns>
    public static IReadOnlySet<string>? TryRead(string file)
    {
        try
        {
            if (!File.Exists(file) || new FileInfo(file).Length > MaxLength)
                return null;
            using var reader = new PEReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete));
            var metadata = reader.GetMetadataReader();
            return metadata
                .AssemblyReferences.Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name))
                .ToHashSet(StringComparer.OrdinalIgnoreCase);
        }
        catch (Exception exception)
            when (exception is IOException or UnauthorizedAccessException or BadImageFormatException or InvalidOperationException)
        {
            return null;
        }
    }
}
