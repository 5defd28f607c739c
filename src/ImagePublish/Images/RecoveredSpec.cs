using System.Globalization;
using ImagePublish.Oci;

namespace ImagePublish.Images;

/// <summary>
/// What a publish was asked for, read back from its image and the base below it: a setting that is as the base has it is inherited, and is
/// inherited again from another base; every other is the image's own.
/// </summary>
/// <remarks>
/// What is read back is right only if it makes the image again, on the same base and to the byte: callers compare. A setting of the project
/// that happens to be the base's counts as inherited.
/// </remarks>
internal static class RecoveredSpec
{
    /// <summary>Reads the settings; null for an image that no publish makes.</summary>
    public static ImageSpec? TryRead(Image image, ImageManifest manifest, BaseImage below)
    {
        if (image.Config.Config is not { } own || !TryReadTime(image.Config.Created, out var created))
            return null;
        var inherited = below.Config.Config ?? new ExecutionConfig();
        var format = MediaTypes.FormatOf(image.Manifest.Descriptor.MediaType);
        var spec = new ImageSpec
        {
            Platform = image.Platform,
            Created = created,
            Format = format == below.Format ? null : format,
            WorkingDirectory = own.WorkingDir,
            User = own.User == ImageComposer.DefaultUser(inherited) ? null : own.User,
            StopSignal = own.StopSignal == inherited.StopSignal ? null : own.StopSignal,
            Healthcheck = OwnHealthcheck(own.Healthcheck, inherited.Healthcheck),
            EnvironmentVariables = EnvironmentVariables.OwnOf(own.Env ?? [], inherited.Env ?? []),
            Labels = OwnLabels(own.Labels, inherited.Labels),
            Annotations = [.. manifest.Annotations ?? new Dictionary<string, string>()],
            Volumes = [.. (own.Volumes ?? []).Except(inherited.Volumes ?? [], StringComparer.Ordinal)],
        };
        return WithPorts(WithCommand(spec, own, inherited), own, inherited);
    }

    /// <summary>The same settings for another base, which the labels and annotations of the origin name where they named the old
    /// one.</summary>
    public static ImageSpec On(this ImageSpec spec, BaseImage other)
    {
        return spec with { Labels = Renamed(spec.Labels), Annotations = Renamed(spec.Annotations) };

        IReadOnlyList<KeyValuePair<string, string>> Renamed(IReadOnlyList<KeyValuePair<string, string>> labels) =>
            [
                .. labels.Select(label =>
                    label.Key switch
                    {
                        ImageLabels.BaseName => KeyValuePair.Create(label.Key, other.Name),
                        ImageLabels.BaseDigest => KeyValuePair.Create(label.Key, other.Digest!.Value),
                        _ => label,
                    }
                ),
            ];
    }

    private static bool TryReadTime(string? text, out DateTimeOffset time) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time);

    private static IReadOnlyList<KeyValuePair<string, string>> OwnLabels(
        IReadOnlyDictionary<string, string>? labels,
        IReadOnlyDictionary<string, string>? inherited
    ) => [.. (labels ?? new Dictionary<string, string>()).Where(label => inherited?.GetValueOrDefault(label.Key) != label.Value)];

    private static ImageSpec WithCommand(ImageSpec spec, ExecutionConfig own, ExecutionConfig inherited)
    {
        var isInherited = own.Entrypoint is null || Equal(own.Entrypoint, inherited.Entrypoint);
        if (!isInherited)
            return spec with { Entrypoint = own.Entrypoint, Command = own.Cmd };
        var command = Equal(own.Cmd, inherited.Cmd) ? null : own.Cmd ?? [];
        return spec with { Command = command, CommandStartsApp = command is not null && own.Entrypoint is not ["dotnet"] };
    }

    private static ImageSpec WithPorts(ImageSpec spec, ExecutionConfig own, ExecutionConfig inherited)
    {
        HashSet<string> exposed = [.. own.ExposedPorts ?? []];
        var named = EnvironmentVariables.Ports(own.Env ?? []).Select(port => port.ToString()).ToList();
        var listens = named.TrueForAll(exposed.Contains);
        exposed.ExceptWith(inherited.ExposedPorts ?? []);
        exposed.ExceptWith(
            listens
                ? named
                : EnvironmentVariables.Ports(EnvironmentVariables.Merge([], spec.EnvironmentVariables)).Select(port => port.ToString())
        );
        return spec with { ListensWhereBaseSays = listens, Ports = ExposedPort.Read([.. exposed]) };
    }

    // Times that are the old check's are inherited again.
    private static Healthcheck? OwnHealthcheck(Healthcheck? own, Healthcheck? inherited)
    {
        if (own is null || inherited is null)
            return own;
        var differing = own with
        {
            Interval = Differing(own.Interval, inherited.Interval),
            Timeout = Differing(own.Timeout, inherited.Timeout),
            StartPeriod = Differing(own.StartPeriod, inherited.StartPeriod),
            StartInterval = Differing(own.StartInterval, inherited.StartInterval),
            Retries = own.Retries == inherited.Retries ? null : own.Retries,
        };
        var hasOwnTimes =
            (differing.Interval ?? differing.Timeout ?? differing.StartPeriod ?? differing.StartInterval ?? differing.Retries) is not null;
        return hasOwnTimes || !Equal(own.Test, inherited.Test) ? differing : null;
    }

    private static long? Differing(long? own, long? inherited) => own == inherited ? null : own;

    private static bool Equal(IReadOnlyList<string>? one, IReadOnlyList<string>? other) => (one ?? []).SequenceEqual(other ?? []);
}
