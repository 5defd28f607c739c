using ImagePublish.Commands;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks.Commands;

/// <summary>Where <see cref="PruneImages"/> removes images: in a registry, which others use, or in the local store.</summary>
/// <remarks>
/// A registry only where the command itself names it: with <c>ImageSource</c>, or with <c>ImageName</c> or
/// <c>ImageRegistry</c> on the command line. The properties by which a project publishes are no order to delete; where
/// they could be taken for one, nothing is removed.
/// </remarks>
internal sealed record PruneTarget(IReadOnlyList<Repository> Repositories, string? StoreRepository)
{
    private const string StorePrefix = "store:";

    /// <summary>Reads the target of a command.</summary>
    /// <exception cref="ImagePublishException"><c>IMG1033</c>: it could be either; <c>IMG1007</c>: <c>ImageSource</c>
    /// is no repository.</exception>
    public static PruneTarget Read(PruneImages inputs, IBuildEngine6? build)
    {
        if (InputParser.Optional(inputs.Source) is { } source)
            return ReadSource(source);
        var destinations = new CommandNames(inputs).Destinations;
        if (destinations.Count == 0)
            return new PruneTarget([], null);
        // Where there is an ImageName, it decides.
        string[] names = InputParser.Optional(inputs.Name) is not null
            ? ["ImageName"]
            : ["ImageRegistry", "ContainerRegistry", "RegistryUrl"];
        if (
            build?.GetGlobalProperties() is { } commandLine
            && Array.Exists(names, name => commandLine.TryGetValue(name, out var value) && value.Length > 0)
        )
            return new PruneTarget(destinations, null);
        return inputs.ChoosesImages
            ? throw new ImagePublishException(
                DiagnosticCodes.PrunePlaceUnclear,
                $"PruneImages could mean the local store or {destinations[0]}, which the project names; "
                    + "nothing was removed. Set ImageSource: -p:ImageSource=store: for the local store, or "
                    + $"-p:ImageSource={destinations[0]}."
            )
            : new PruneTarget([], null);
    }

    private static PruneTarget ReadSource(string source)
    {
        if (source == StorePrefix)
            return new PruneTarget([], null);
        var isStore = source.StartsWith(StorePrefix, StringComparison.Ordinal);
        var name = isStore ? source[StorePrefix.Length..] : source;
        if (StoreNames.Repository(name) != name)
            throw InputParser.Invalid(
                "ImageSource",
                source,
                "expected a repository without a tag, such as ghcr.io/acme/shop, store:acme/shop, or store: "
                    + "for the whole local store; RemoveImage removes a single tag"
            );
        return !isStore && ImageSourceReader.RegistryImageOf(name) is { } remote
            ? new PruneTarget([remote.Repository], null)
            : new PruneTarget([], name);
    }
}
