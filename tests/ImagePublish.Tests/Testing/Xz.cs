using System.Diagnostics;

namespace ImagePublish.Tests;

/// <summary>Debian's xz, which our decoder must agree with.</summary>
internal static class Xz
{
    public static byte[] Compress(byte[] content, params string[] options)
    {
        var start = new ProcessStartInfo("xz", ["--compress", "--stdout", .. options])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        using var compressed = new MemoryStream();
        var reading = process.StandardOutput.BaseStream.CopyToAsync(compressed);
        using (var input = process.StandardInput.BaseStream)
            input.Write(content);
        reading.GetAwaiter().GetResult();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return compressed.ToArray();
    }
}
