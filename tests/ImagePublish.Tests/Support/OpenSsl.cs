using System.Diagnostics;

namespace ImagePublish.Tests.Support;

/// <summary>Runs openssl. What it prints is shown only if it fails.</summary>
internal static class OpenSsl
{
    public static async Task RunAsync(string folder, string arguments, CancellationToken cancellationToken = default)
    {
        var start = new ProcessStartInfo("openssl", arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = await process.StandardError.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"openssl {arguments}: {error}{await output}");
    }
}
