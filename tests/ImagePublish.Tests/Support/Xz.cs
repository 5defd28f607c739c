using System.Diagnostics;

namespace ImagePublish.Tests.Support;

/// <summary>Debian's xz, which our decoder must agree with.</summary>
internal static class Xz
{
    public static byte[] Compress(byte[] content, params string[] options)
    {
        var file = Path.Combine(Path.GetTempPath(), $"image-xz-{Guid.NewGuid():N}");
        File.WriteAllBytes(file, content);
        try
        {
            var start = new ProcessStartInfo("xz", ["--compress", "--stdout", .. options, file]) { RedirectStandardOutput = true };
            using var process = Process.Start(start)!;
            using var compressed = new MemoryStream();
            process.StandardOutput.BaseStream.CopyTo(compressed);
            process.WaitForExit();
            Assert.Equal(0, process.ExitCode);
            return compressed.ToArray();
        }
        finally
        {
            File.Delete(file);
        }
    }
}
