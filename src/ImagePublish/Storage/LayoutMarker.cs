using System.Text.Json;
using System.Text.Unicode;
using ImagePublish.Diagnostics;

namespace ImagePublish.Storage;

/// <summary>The file <c>oci-layout</c>, which makes a folder an image layout.</summary>
/// <remarks>
/// <see href="https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md#oci-layout-file">image-spec, oci-layout file</see>.
/// </remarks>
internal static class LayoutMarker
{
    public static ReadOnlySpan<byte> Content => "{\"imageLayoutVersion\":\"1.0.0\"}"u8;

    public static void Ensure(StoreDisk disk)
    {
        var path = disk.Layout.LayoutFile;
        if (disk.Run(path, File.Exists))
        {
            if (!IsSupported(disk.Run(path, File.ReadAllBytes)))
                throw new ImagePublishException(
                    DiagnosticCodes.StoreDamaged,
                    $"'{path}' is not of an image layout of version 1. Delete it if the folder is the local store, or choose "
                        + "another folder with ImageStore."
                );
            return;
        }

        disk.Run(path, Create);

        string Create(string target)
        {
            disk.CreateFolder(disk.Layout.BlobsFolder);
            var (temporary, stream) = disk.CreateTemporary();
            using (stream)
                stream.Write(Content);
            File.Move(temporary, target, overwrite: true);
            return target;
        }
    }

    /// <summary>Whether this is the marker of a layout that can be read here.</summary>
    public static bool IsSupported(ReadOnlySpan<byte> content)
    {
        try
        {
            var reader = new Utf8JsonReader(content);
            return Utf8.IsValid(content)
                && JsonElement.TryParseValue(ref reader, out var marker)
                && marker.Value.ValueKind == JsonValueKind.Object
                && marker.Value.TryGetProperty("imageLayoutVersion", out var version)
                && version.ValueKind == JsonValueKind.String
                && version.GetString()!.StartsWith("1.", StringComparison.Ordinal);
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
