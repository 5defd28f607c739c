using System.Globalization;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Images;

/// <summary>A health check by http without a shell or <c>curl</c>: a small program in the image, one for each architecture.</summary>
/// <remarks>Their sources, and how they are assembled, are in <c>Images/Probe</c>.</remarks>
/// <param name="Program">The program's path in the image.</param>
/// <param name="Path">What is asked for; 2xx and 3xx are healthy.</param>
/// <param name="Port">The port; null for the one that the app's variables name.</param>
internal sealed record HttpProbe(string Program, string Path, int? Port, int Seconds)
{
    /// <summary>What the program is called, beside the app.</summary>
    public const string FileName = "http-healthcheck";

    public const int LongestPath = 2048;

    /// <summary>The platforms that there is a program for.</summary>
    public const string Platforms = "linux/amd64, linux/arm64 and linux/arm/v7";

    /// <summary>The built-in file that is the program for a platform; null where there is none.</summary>
    public static string? FindProgram(Platform platform) =>
        (platform.Os, platform.Architecture, platform.Variant) switch
        {
            ("linux", "amd64", _) => "ImagePublish.Probe.x64",
            ("linux", "arm64", _) => "ImagePublish.Probe.arm64",
            ("linux", "arm", null or "" or "v7" or "v8") => "ImagePublish.Probe.arm",
            _ => null,
        };

    /// <summary>Whether something can be asked for: what a line of a request can hold.</summary>
    public static bool IsPath(string text) =>
        text is ['/', ..] && text.Length <= LongestPath && !text.AsSpan().ContainsAnyExceptInRange('!', '~') && !text.Contains('#');

    /// <summary>The test of the image's config.</summary>
    /// <param name="variables">The variables that say where the app listens.</param>
    /// <param name="ports">The ports that the user names.</param>
    /// <exception cref="ImagePublishException"><c>IMG1007</c>: nothing says on which port.</exception>
    public IReadOnlyList<string> Test(IReadOnlyList<string> variables, IReadOnlyList<ExposedPort> ports)
    {
        var port = Port
            ?? EnvironmentVariables.HttpPort(variables)
            ?? ports.FirstOrDefault(one => one.Protocol == "tcp")?.Number
            ?? throw new ImagePublishException(
                DiagnosticCodes.InvalidValue,
                $"ImageHealthcheck '{Path}' can't be used: no variable of the image says on which port the app answers http. "
                    + "Name it in its Port."
            );
        return ["CMD", Program, port.ToString(CultureInfo.InvariantCulture), Path, Seconds.ToString(CultureInfo.InvariantCulture)];
    }
}
