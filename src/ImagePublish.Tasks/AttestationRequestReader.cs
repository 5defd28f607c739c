using ImagePublish.Attachments;
using ImagePublish.Bases;
using ImagePublish.Images;
using ImagePublish.Requests;
using ImagePublish.Sboms;
using ImagePublish.Tasks.Shared;

namespace ImagePublish.Tasks;

/// <summary>Reads what is attested of an image: what the build knows of itself.</summary>
internal sealed class AttestationRequestReader(PublishImageInputs inputs, GitInfo source)
{
    private readonly GitHistory? history = GitHistory.Find(inputs.BuildEngine4, inputs.ResolvePath("."));

    /// <summary>Reads it; null where nothing is attested.</summary>
    /// <exception cref="Diagnostics.ImagePublishException"><c>IMG1007</c>: a property can't be understood.</exception>
    public AttestationRequest? Read(ImageSource baseImage, SbomRequest? sbom)
    {
        var placement = InputParser.Choice(inputs.Attestations, "ImageAttestations", AttestationPlacement.Referrers);
        var areSymbolsAttached = InputParser.Choice(inputs.Symbols, "ImageSymbols", SymbolPlacement.App) == SymbolPlacement.Separate;
        if (placement == AttestationPlacement.None && areSymbolsAttached)
            throw InputParser.Invalid(
                "ImageSymbols",
                inputs.Symbols!,
                "nothing is attached to images where ImageAttestations is None. Leave that out, or choose Layer or None"
            );
        if (placement == AttestationPlacement.None || (!inputs.Provenance && sbom is null && !areSymbolsAttached))
            return null;
        return new AttestationRequest(placement)
        {
            IsPartOfIndex = inputs.IsPartOfIndex,
            Provenance = inputs.Provenance ? ReadFacts(baseImage) : null,
        };
    }

    private BuildFacts ReadFacts(ImageSource baseImage)
    {
        var run = CiRun.Find(TaskEnvironment.Variable);
        return new BuildFacts
        {
            Tool = new BuildTool(ToolVersion)
            {
                Sdk = InputParser.Optional(inputs.SdkVersion),
                MSBuild = InputParser.Optional(inputs.MSBuildVersion),
            },
            BuilderId = run?.BuilderId,
            Project = ReadProjectPath(),
            Parameters = [.. ReadParameters(baseImage)],
            Source = ReadSource(),
            AssetsFile = InputParser.Optional(inputs.AssetsFile) is { } file ? inputs.ResolvePath(file) : null,
            AssetsTargets = [$"{inputs.TargetFramework}/{inputs.RuntimeIdentifier}", inputs.TargetFramework],
            Run = new BuildRun
            {
                Invocation = run?.Invocation,
                StartedOn = run?.StartedOn,
                HasChangesAsync = history is null ? null : HasChangesAsync,
            },
        };
    }

    internal static string ToolVersion => typeof(BuildFacts).Assembly.GetName().Version?.ToString(3) ?? "";

    // No folder of this machine is published.
    private string ReadProjectPath()
    {
        var path = inputs.ResolvePath(inputs.ProjectFile);
        return history?.Relativize(path) ?? Path.GetFileName(path);
    }

    private IEnumerable<KeyValuePair<string, string>> ReadParameters(ImageSource baseImage)
    {
        (string Name, string? Value)[] parameters =
        [
            ("Configuration", inputs.Configuration),
            ("TargetFramework", inputs.TargetFramework),
            ("RuntimeIdentifier", inputs.RuntimeIdentifier),
            ("SelfContained", Switch(inputs.IsSelfContained)),
            ("PublishSingleFile", Switch(inputs.IsSingleFile)),
            ("PublishTrimmed", Switch(inputs.IsTrimmed)),
            ("PublishAot", Switch(inputs.IsAot)),
            ("ImageBase", NameOf(baseImage)),
        ];
        return parameters
            .Where(parameter => !string.IsNullOrEmpty(parameter.Value))
            .Select(parameter => KeyValuePair.Create(parameter.Name, parameter.Value!));
    }

    private static string? Switch(bool isOn) => isOn ? "true" : null;

    private static string? NameOf(ImageSource image) =>
        image switch
        {
            RegistryImage remote => remote.Reference.ToString(),
            OfflineImage kept => kept.Reference.ToString(),
            ScratchImage => "scratch",
            _ => null,
        };

    private SourceCommit? ReadSource()
    {
        if (source.Revision is not { Length: 40 or 64 } commit || !commit.All(char.IsAsciiHexDigitLower))
            return null;
        var url = CiRef.WithoutSecrets(InputParser.Optional(inputs.Source)) ?? source.Url;
        return new SourceCommit(Uri.TryCreate(url, UriKind.Absolute, out _) ? url : null, ReadRef(), commit);
    }

    private string? ReadRef() =>
        source.Ref switch
        {
            { Kind: SourceRefKind.Branch, Name: var name } => $"refs/heads/{name}",
            { Kind: SourceRefKind.Tag, Name: var name } => $"refs/tags/{name}",
            _ => null,
        };

    private async Task<bool?> HasChangesAsync()
    {
        var tree = await history!.GetWorkingTreeAsync();
        return tree.Problem is null ? tree.Changed.Count > 0 : null;
    }
}
