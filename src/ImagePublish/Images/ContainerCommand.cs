using ImagePublish.Diagnostics;

namespace ImagePublish.Images;

/// <summary>The .NET SDK's properties and items for how an app is started; a fallback for this package's own.</summary>
/// <remarks>
/// <see href="https://learn.microsoft.com/dotnet/core/containers/publish-configuration#commands">Commands of containers</see>.
/// </remarks>
internal sealed record ContainerCommand
{
    public IReadOnlyList<string> Entrypoint { get; init; } = [];

    public IReadOnlyList<string> EntrypointArgs { get; init; } = [];

    public IReadOnlyList<string> AppCommand { get; init; } = [];

    public IReadOnlyList<string> AppCommandArgs { get; init; } = [];

    public IReadOnlyList<string> DefaultArgs { get; init; } = [];

    /// <summary>What the app's command becomes: <c>Entrypoint</c>, <c>DefaultArgs</c> or <c>None</c>; null chooses.</summary>
    public string? Instruction { get; init; }

    public bool IsEmpty =>
        Entrypoint.Count + EntrypointArgs.Count + AppCommand.Count + AppCommandArgs.Count + DefaultArgs.Count == 0 && Instruction is null;

    /// <summary>Converts it to entry point and command, by the rules of the SDK.</summary>
    /// <exception cref="ImagePublishException"><c>IMG1018</c>: parts of it contradict each other.</exception>
    public (IReadOnlyList<string>? Entrypoint, IReadOnlyList<string>? Command) Resolve(IReadOnlyList<string> usual)
    {
        var app = AppCommand.Count > 0 || string.Equals(Instruction, "None", StringComparison.OrdinalIgnoreCase) ? AppCommand : usual;
        var setsEntrypoint = Entrypoint.Count + EntrypointArgs.Count > 0;
        // Before there was an AppCommand, arguments alone were those of the app.
        if (Instruction is null && EntrypointArgs.Count > 0 && Entrypoint.Count + DefaultArgs.Count + AppCommandArgs.Count == 0)
            return (app, EntrypointArgs);
        if (EntrypointArgs.Count > 0 && Entrypoint.Count == 0)
            throw Contradiction(
                "ContainerEntrypointArgs needs a ContainerEntrypoint. Use ContainerAppCommandArgs for arguments of the app"
            );
        if (AppCommandArgs.Count > 0 && app.Count == 0)
            throw Contradiction("ContainerAppCommandArgs needs a ContainerAppCommand");

        IReadOnlyList<string>? entrypoint = Entrypoint.Count > 0 ? [.. Entrypoint, .. EntrypointArgs] : null;
        return (Instruction ?? (setsEntrypoint ? "DefaultArgs" : "Entrypoint")).ToLowerInvariant() switch
        {
            "none" when app.Count > 0 => throw Contradiction(
                "ContainerAppCommand is set, but ContainerAppCommandInstruction is None, which leaves it out"
            ),
            "none" when entrypoint is null && DefaultArgs.Count == 0 => (null, null),
            "none" => (entrypoint, DefaultArgs),
            "defaultargs" => (entrypoint, [.. app, .. AppCommandArgs, .. DefaultArgs]),
            "entrypoint" when setsEntrypoint => throw Contradiction(
                "ContainerEntrypoint is set, but ContainerAppCommandInstruction makes the app the entry point"
            ),
            "entrypoint" => ([.. app, .. AppCommandArgs], DefaultArgs),
            _ => throw new ImagePublishException(
                DiagnosticCodes.InvalidValue,
                $"ContainerAppCommandInstruction has the "
                    + $"value '{Common.Text.Sanitize(Instruction!)}': expected Entrypoint, DefaultArgs or None."
            ),
        };
    }

    private static ImagePublishException Contradiction(string what) =>
        new(DiagnosticCodes.ContradictoryCommand, $"{what}, or say it with ImageEntrypoint and ImageCommand.");
}
