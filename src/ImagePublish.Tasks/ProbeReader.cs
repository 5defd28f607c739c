using System.Globalization;
using ImagePublish.Images;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>Reads an <c>ImageHealthcheck</c> that asks the app by http.</summary>
internal static class ProbeReader
{
    // Docker's own, where an image says nothing.
    private const int UsualSeconds = 30;
    private const string Item = "ImageHealthcheck";

    public static bool IsProbe(ITaskItem[] items) => items.Any(item => IsTrue(item, "Http"));

    /// <summary>Reads it; null where the check is none, or a command.</summary>
    /// <exception cref="Diagnostics.ImagePublishException"><c>IMG1007</c>: it can't be understood, or there is no program for the
    /// platform.</exception>
    public static HttpProbe? Read(PublishImageInputs inputs, Platform platform, string workingDirectory)
    {
        if (!IsProbe(inputs.Healthcheck))
            return null;
        var item = inputs.Healthcheck[0];
        var source = ItemLocations.Locate(item, Item);
        if (inputs.Healthcheck.Length > 1)
            throw InputParser.Invalid(source, "with Http it must be the only one");
        if (!HttpProbe.IsPath(item.ItemSpec))
            throw InputParser.Invalid(source, "with Http it is the path to ask for, such as /health");
        if (HttpProbe.FindProgram(platform) is null)
            throw InputParser.Invalid(source, $"with Http it is for {HttpProbe.Platforms}, and this image is for {platform}");
        return new HttpProbe(
            $"{workingDirectory.TrimEnd('/')}/{HttpProbe.FileName}",
            item.ItemSpec,
            ReadPort(item, source),
            ReadSeconds(item)
        );
    }

    /// <summary>The program as a layer of its own, which is the same for every app of an architecture.</summary>
    public static AddedEntry Entry(PublishImageInputs inputs, HttpProbe probe, Platform platform) =>
        new(ItemLocations.Locate(inputs.Healthcheck[0], Item), LayerEntryKind.File, probe.Program.TrimStart('/'))
        {
            Mode = Modes.Executable,
            Owner = new FileOwner("0", "0"),
            Layer = "healthcheck",
            BuiltIn = HttpProbe.FindProgram(platform),
        };

    private static bool IsTrue(ITaskItem item, string name) =>
        string.Equals(InputParser.Optional(item.GetMetadata(name)), "true", StringComparison.OrdinalIgnoreCase);

    private static int? ReadPort(ITaskItem item, Diagnostics.ItemSource source)
    {
        if (InputParser.Optional(item.GetMetadata("Port")) is not { } text)
            return null;
        return ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0
            ? port
            : throw InputParser.Invalid(source, "its Port is not a number from 1 to 65535");
    }

    private static int ReadSeconds(ITaskItem item) =>
        GoDuration.TryParse(item.GetMetadata("Timeout")) is { } nanoseconds and > 0
            ? (int)Math.Clamp((nanoseconds + 999_999_999) / 1_000_000_000, 1, 3600)
            : UsualSeconds;
}
