using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Publishing.Verbs;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks.Verbs;

/// <summary>Where <see cref="PruneImages"/> removes images: in a registry, which other people use, or in the local store.</summary>
/// <remarks>
/// A registry is meant only where the command says so: with <c>ImageSource</c>, or with <c>ImageName</c> or <c>ImageRegistry</c> on the command line. What a project says of the image that
/// it publishes is no order to delete; where it could be taken for one, nothing is removed.
/// </remarks>
/// <param name="Repositories">The registries' repositories; none for the local store.</param>
/// <param name="StoreRepository">The one repository of the store that is meant; null for all.</param>
internal sealed record PrunePlace(IReadOnlyList<Repository> Repositories, string? StoreRepository)
{
    private const string StorePrefix = "store:";

    /// <summary>Reads what the command says.</summary>
    /// <param name="inputs">What MSBuild handed over.</param>
    /// <param name="build">The build, which knows the properties of the command line.</param>
    /// <returns>The place.</returns>
    /// <exception cref="ImagePublishException"><c>IMG1033</c>: it could be either; <c>IMG1007</c>: <c>ImageSource</c> is no repository.</exception>
    public static PrunePlace Read(PruneImages inputs, IBuildEngine6? build)
    {
        if (Lists.Optional(inputs.Source) is { } source)
            return ReadSource(source);
        var destinations = new VerbNames(inputs).Destinations;
        if (destinations.Count == 0)
            return new PrunePlace([], null);
        // Where there is an ImageName, it decides.
        string[] names = Lists.Optional(inputs.Name) is not null ? ["ImageName"] : ["ImageRegistry", "ContainerRegistry", "RegistryUrl"];
        if (build?.GetGlobalProperties() is { } commandLine && Array.Exists(names, name => commandLine.TryGetValue(name, out var value) && value.Length > 0))
            return new PrunePlace(destinations, null);
        return inputs.ChoosesImages
            ? throw new ImagePublishException(
                DiagnosticCodes.PrunePlaceUnclear,
                $"PruneImages could mean the local store or {destinations[0]}, which the project names; nothing was removed. Set ImageSource: -p:ImageSource=store: for the local store, or -p:ImageSource={destinations[0]}.")
            : new PrunePlace([], null);
    }

    private static PrunePlace ReadSource(string source)
    {
        if (source == StorePrefix)
            return new PrunePlace([], null);
        var isStore = source.StartsWith(StorePrefix, StringComparison.Ordinal);
        var name = isStore ? source[StorePrefix.Length..] : source;
        if (StoreNames.Repository(name) != name)
            throw Lists.Invalid("ImageSource", source, "expected a repository without a tag, such as ghcr.io/acme/shop, store:acme/shop, or store: for the whole local store; RemoveImage removes a single tag");
        return !isStore && VerbNames.RegistryImageOf(name) is { } remote ? new PrunePlace([remote.Repository], null) : new PrunePlace([], name);
    }
}
