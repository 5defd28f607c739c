using System.Text;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <content>What differs where the image is made for <c>PublishContainer</c>, which the package takes over from the .NET SDK.</content>
public abstract partial class PublishTask
{
    /// <summary>Whether the image is made for <c>PublishContainer</c>.</summary>
    public bool ServesPublishContainer { get; set; }

    /// <summary>
    /// The tags that <c>PublishImage</c> has moved in this build, each with its repository: they must not move once more.
    /// </summary>
    public string? PublishedTags { get; set; }

    /// <summary>What Visual Studio signs in with, where it runs the build.</summary>
    internal VisualStudioSignIn? HostSignIn =>
        ServesPublishContainer ? BuildObjects.Find<VisualStudioSignIn>(BuildEngine4, FullPath(ProjectName)) : null;

    /// <summary>The tags that must not move.</summary>
    internal IReadOnlyList<Tag> TagsToHold(ImageNames names, IReadOnlyList<Tag> tags)
    {
        if (!TagOverwrite)
            return tags;
        var published = InputParser.Words(PublishedTags);
        if (published.Length == 0)
            return [];
        string[] places =
            names.Destinations.Count == 0 ? [names.LocalName] : [.. names.Destinations.Select(repository => repository.ToString())];
        return [.. tags.Where(tag => Array.Exists(places, place => published.Contains($"{place}:{tag}", StringComparer.Ordinal)))];
    }

    /// <summary>Adds what callers of <c>PublishContainer</c> read: the documents as they are in the registry.</summary>
    internal ITaskItem[] WithDocuments(IEnumerable<ITaskItem> images, MemoryBlobSource manifest, MemoryBlobSource? config = null)
    {
        ITaskItem[] items = [.. images];
        if (!ServesPublishContainer)
            return items;
        foreach (var item in items)
        {
            item.SetText("Manifest", Encoding.UTF8.GetString(manifest.Content.Span));
            item.SetText("Configuration", config is null ? "" : Encoding.UTF8.GetString(config.Content.Span));
        }

        return items;
    }

    internal override ImagePublishException Explain(ImagePublishException exception)
    {
        if (exception.Code == DiagnosticCodes.TagImmutable && TagOverwrite && InputParser.Optional(PublishedTags) is not null)
        {
            return new ImagePublishException(
                DiagnosticCodes.PublishedTwice,
                $"PublishImage has published {ProjectName} as {string.Join(", ", InputParser.Words(PublishedTags))} in this build, "
                    + $"and the image that PublishContainer asks for is another one. "
                    + "It was not published. Set PublishImage to false where PublishContainer is run.",
                exception
            );
        }

        return ServesPublishContainer && SdkCode(exception) is { } code
            ? new ImagePublishException(exception.Code, $"{exception.Message} ({code})", exception.InnerException)
            {
                Item = exception.Item,
                TellsChanges = exception.TellsChanges,
            }
            : exception;
    }

    // The .NET SDK's codes of the same meaning: programs that run PublishContainer look for them in its output.
    private string? SdkCode(ImagePublishException exception)
    {
        if (exception.Code == DiagnosticCodes.Unauthorized || exception.Code == DiagnosticCodes.RegistryDenied)
            return "CONTAINER1016";
        var isOfRegistry =
            exception.Code.Id.StartsWith("IMG4", StringComparison.Ordinal)
            || exception.Code.Id.StartsWith("IMG5", StringComparison.Ordinal);
        return isOfRegistry && InputParser.Words(Registry).Any(host => exception.Message.Contains(host, StringComparison.OrdinalIgnoreCase))
            ? "CONTAINER1013"
            : null;
    }
}
