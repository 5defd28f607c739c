using System.Globalization;
using ImagePublish.Images;
using ImagePublish.Oci;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>Reads what the image says: the config's part of a task's inputs.</summary>
/// <param name="inputs">What MSBuild handed over.</param>
internal sealed class SpecReader(PublishImageInputs inputs)
{
    /// <summary>Reads it.</summary>
    /// <param name="app">The app inside.</param>
    /// <param name="workingDirectory">The folder that it is in.</param>
    /// <param name="created">The image's instant.</param>
    /// <returns>What the image says.</returns>
    public ImageSpec Read(DotNetApp app, string workingDirectory, DateTimeOffset created) => new()
    {
        Platform = app.RuntimeIdentifier.Platform,
        Created = created,
        Format = Lists.Optional(inputs.Format) is null ? null : Lists.Choice(inputs.Format, "ImageFormat", ImageFormat.Oci),
        WorkingDirectory = workingDirectory,
        User = Lists.Optional(inputs.User),
        StopSignal = Lists.Optional(inputs.StopSignal),
        Healthcheck = ReadHealthcheck(),
        Entrypoint = inputs.Entrypoint.Length > 0 ? Specs(inputs.Entrypoint) : app.Entrypoint(workingDirectory),
        Command = inputs.Command.Length > 0 ? Specs(inputs.Command) : null,
        EnvironmentVariables = Lists.Pairs(inputs.EnvironmentVariables, "ImageEnvironmentVariable"),
        Labels = Lists.Pairs(inputs.Labels, "ImageLabel"),
        Annotations = Lists.Pairs([.. inputs.Annotations.Where(item => !IsForIndex(item))], "ImageAnnotation"),
        Ports = [.. inputs.Ports.Select(ReadPort)],
        Volumes = Specs(inputs.Volumes),
    };

    private static string[] Specs(ITaskItem[] items) => [.. items.Select(item => item.ItemSpec)];

    /// <summary>Whether an annotation is for the index rather than for each image.</summary>
    /// <param name="item">The item <c>ImageAnnotation</c>.</param>
    /// <returns>Whether it is.</returns>
    public static bool IsForIndex(ITaskItem item) => Lists.Optional(item.GetMetadata("Scope"))?.ToLowerInvariant() switch
    {
        "index" => true,
        null or "manifest" => false,
        var scope => throw Lists.Invalid($"ImageAnnotation '{item.ItemSpec}' Scope", scope, "expected manifest or index"),
    };

    private static ExposedPort ReadPort(ITaskItem item) =>
        ExposedPort.TryParse(item.ItemSpec, item.GetMetadata("Protocol"), out var port)
            ? port
            : throw Lists.Invalid("ImagePort", item.ItemSpec, "expected a port from 1 to 65535 and perhaps the Protocol tcp, udp or sctp");

    private Healthcheck? ReadHealthcheck()
    {
        if (inputs.Healthcheck.Length == 0)
            return null;
        var settings = inputs.Healthcheck[0];
        var words = Specs(inputs.Healthcheck);
        return new Healthcheck
        {
            Test = words is ["NONE"] ? words : words.Length == 1 ? ["CMD-SHELL", words[0]] : ["CMD", .. words],
            Interval = Duration(settings, "Interval"),
            Timeout = Duration(settings, "Timeout"),
            StartPeriod = Duration(settings, "StartPeriod"),
            Retries = Lists.Optional(settings.GetMetadata("Retries")) is { } text ? Number(text) : null,
        };
    }

    private static int Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw Lists.Invalid("ImageHealthcheck Retries", text, "expected a number");

    private static long? Duration(ITaskItem item, string name)
    {
        if (Lists.Optional(item.GetMetadata(name)) is not { } text)
            return null;
        var unit = text.Length - text.AsSpan().TrimEnd("hmsunµ").Length;
        var number = text[..^unit];
        double? seconds = text[^unit..] switch { "h" => 3600, "m" => 60, "s" or "" => 1, "ms" => 0.001, _ => null };
        return seconds is not null && double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)
            ? (long)(value * seconds.Value * 1_000_000_000)
            : throw Lists.Invalid($"ImageHealthcheck {name}", text, "expected a number and h, m, s or ms, such as 30s");
    }
}
