using ImagePublish.Common;
using ImagePublish.Images;
using ImagePublish.Tasks.Shared;

namespace ImagePublish.Tasks;

/// <content>The project's metadata, for labels and annotations.</content>
public abstract partial class PublishTask
{
    /// <summary>The version of .NET that the app targets.</summary>
    public string FrameworkVersion { get; set; } = "";

    /// <summary>The version of the SDK.</summary>
    public string? SdkVersion { get; set; }

    /// <summary>Whether labels are made from the project's metadata.</summary>
    public bool GenerateLabels { get; set; } = true;

    /// <summary>The project's title.</summary>
    public string? Title { get; set; }

    /// <summary>What the project is.</summary>
    public string? Description { get; set; }

    /// <summary>Who made the project.</summary>
    public string? Authors { get; set; }

    /// <summary>Whose the project is.</summary>
    public string? Vendor { get; set; }

    /// <summary>The project's licence, an SPDX expression.</summary>
    public string? Licenses { get; set; }

    /// <summary>Where to read more.</summary>
    public string? Url { get; set; }

    /// <summary>Where the project's source is.</summary>
    public string? Source { get; set; }

    /// <summary>Where the documentation is; empty for where to read more.</summary>
    public string? Documentation { get; set; }

    /// <summary>The version of the label; empty for the project's.</summary>
    public string? LabelVersion { get; set; }

    /// <summary>Labels that are not wanted, by the last part of their names.</summary>
    public string? OmittedLabels { get; set; }

    /// <summary>The project's metadata.</summary>
    internal ProjectInfo? ReadProject(GitInfo source) =>
        !GenerateLabels
            ? null
            : new ProjectInfo
            {
                Title = InputParser.Optional(Title),
                Description = InputParser.Optional(Description),
                Authors = InputParser.Optional(Authors),
                Vendor = InputParser.Optional(Vendor),
                Licenses = InputParser.Optional(Licenses),
                Version = InputParser.Optional(LabelVersion) ?? InputParser.Optional(Version),
                Url = PublicUrlOf(Url),
                Documentation = PublicUrlOf(Documentation) ?? PublicUrlOf(Url),
                Source = CiRef.WithoutSecrets(InputParser.Optional(Source)) ?? source.Url,
                Revision = source.Revision,
                FrameworkVersion = FrameworkVersion,
                Omitted = InputParser.Words(OmittedLabels),
            };

    private static string? PublicUrlOf(string? text) => InputParser.Optional(text) is { } url ? PublicUrl.TryCreate(url) : null;
}
