using System.Globalization;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>Reads the config's part of a task's inputs.</summary>
internal sealed class SpecReader(PublishImageInputs inputs)
{
    public ImageSpec Read(DotNetApp app, string workingDirectory, DateTimeOffset created) =>
        WithCommand(
            app.Entrypoint(workingDirectory),
            new ImageSpec
            {
                Platform = app.RuntimeIdentifier.Platform,
                Created = created,
                Format = InputParser.Optional(inputs.Format) is null
                    ? null
                    : InputParser.Choice(inputs.Format, "ImageFormat", ImageFormat.Oci),
                WorkingDirectory = workingDirectory,
                User = InputParser.Optional(inputs.User) ?? DefaultUser(app),
                StopSignal = InputParser.Optional(inputs.StopSignal),
                Healthcheck = ReadHealthcheck(),
                Probe = ProbeReader.Read(inputs, app.RuntimeIdentifier.Platform, workingDirectory),
                ListensWhereBaseSays = app.UsesAspNet || inputs.ServesPublishContainer,
                EnvironmentVariables = InputParser.Pairs(inputs.EnvironmentVariables, "ImageEnvironmentVariable"),
                Labels = InputParser.Pairs(inputs.Labels, "ImageLabel"),
                Annotations = InputParser.Pairs([.. inputs.Annotations.Where(item => !IsForIndex(item))], "ImageAnnotation"),
                Ports = [.. inputs.Ports.SelectMany(ReadPorts)],
                Volumes = Specs(inputs.Volumes),
            }
        );

    // Microsoft's Windows images run as an administrator, and name no user in APP_UID.
    private string? DefaultUser(DotNetApp app) =>
        InputParser.Optional(inputs.Base) is null && app.RuntimeIdentifier.Platform.Os == "windows" ? "ContainerUser" : null;

    private ImageSpec WithCommand(IReadOnlyList<string> usual, ImageSpec spec)
    {
        var container = new ContainerCommand
        {
            Entrypoint = Specs(inputs.ContainerEntrypoint),
            EntrypointArgs = Specs(inputs.ContainerEntrypointArgs),
            AppCommand = Specs(inputs.ContainerAppCommand),
            AppCommandArgs = Specs(inputs.ContainerAppCommandArgs),
            DefaultArgs = Specs(inputs.ContainerDefaultArgs),
            Instruction = InputParser.Optional(inputs.ContainerAppCommandInstruction),
        };
        if (inputs.Entrypoint.Length + inputs.Command.Length > 0 || container.IsEmpty)
        {
            return spec with
            {
                Entrypoint = inputs.Entrypoint.Length > 0 ? Specs(inputs.Entrypoint) : usual,
                Command = inputs.Command.Length > 0 ? Specs(inputs.Command) : null,
            };
        }

        var (entrypoint, command) = Resolve(container, usual);
        return spec with { Entrypoint = entrypoint, Command = command, CommandStartsApp = entrypoint is null && command is not null };
    }

    private (IReadOnlyList<string>? Entrypoint, IReadOnlyList<string>? Command) Resolve(
        ContainerCommand container,
        IReadOnlyList<string> usual
    )
    {
        try
        {
            return container.Resolve(usual);
        }
        catch (ImagePublishException exception) when (exception.Code == DiagnosticCodes.ContradictoryCommand)
        {
            // The message begins with the item that is to blame.
            var kind = exception.Message.Split(' ')[0];
            var item = kind switch
            {
                nameof(inputs.ContainerEntrypoint) => inputs.ContainerEntrypoint,
                nameof(inputs.ContainerEntrypointArgs) => inputs.ContainerEntrypointArgs,
                nameof(inputs.ContainerAppCommand) => inputs.ContainerAppCommand,
                _ => inputs.ContainerAppCommandArgs,
            };
            throw new ImagePublishException(exception.Code, exception.Message, exception)
            {
                Item = item is [var first, ..] ? ItemLocations.Locate(first, kind) : null,
            };
        }
    }

    private static string[] Specs(ITaskItem[] items) => [.. items.Select(item => item.ItemSpec)];

    /// <summary>Whether an annotation is for the index rather than for each image.</summary>
    public static bool IsForIndex(ITaskItem item) =>
        InputParser.Optional(item.GetMetadata("Scope"))?.ToLowerInvariant() switch
        {
            "index" => true,
            null or "manifest" => false,
            var scope => throw InputParser.Invalid(
                ItemLocations.Locate(item, "ImageAnnotation"),
                $"its Scope '{scope}' is neither manifest nor index"
            ),
        };

    private static IReadOnlyList<ExposedPort> ReadPorts(ITaskItem item) =>
        ExposedPort.TryParseRange(
            item.ItemSpec,
            InputParser.Optional(item.GetMetadata("Protocol")) ?? item.GetMetadata("Type"),
            out var ports
        )
            ? ports
            : throw InputParser.Invalid(
                ItemLocations.Locate(item, "ImagePort"),
                "expected a port from 1 to 65535, or a range such as 7000-7002, and perhaps the Protocol tcp, udp or sctp"
            );

    private Healthcheck? ReadHealthcheck()
    {
        if (inputs.Healthcheck.Length == 0)
            return null;
        var settings = inputs.Healthcheck[0];
        var words = Specs(inputs.Healthcheck);
        return new Healthcheck
        {
            Test =
                ProbeReader.IsProbe(inputs.Healthcheck) ? null
                : words is ["NONE"] ? words
                : words.Length == 1 ? ["CMD-SHELL", words[0]]
                : ["CMD", .. words],
            Interval = Duration(settings, "Interval"),
            Timeout = Duration(settings, "Timeout"),
            StartPeriod = Duration(settings, "StartPeriod"),
            StartInterval = Duration(settings, "StartInterval"),
            Retries = InputParser.Optional(settings.GetMetadata("Retries")) is { } text ? Number(text) : null,
        };
    }

    private static int Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw InputParser.Invalid("ImageHealthcheck Retries", text, "expected a number");

    private static long? Duration(ITaskItem item, string name) =>
        InputParser.Optional(item.GetMetadata(name)) is not { } text
            ? null
            : GoDuration.TryParse(text)
                ?? throw InputParser.Invalid(
                    ItemLocations.Locate(item, "ImageHealthcheck"),
                    $"its {name} '{Text.Sanitize(text)}' is not a duration: expected numbers with h, m, s or ms, such as 30s or 1m30s"
                );
}
