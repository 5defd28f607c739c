using ImagePublish.Oci;

namespace ImagePublish.Policies;

/// <summary>What an image must be like, and what must not be in it.</summary>
internal sealed record PolicyRequest
{
    /// <summary>The bytes that an image may have in a registry; null for any number.</summary>
    public long? MaxSize { get; init; }

    public GrowthLimit? MaxGrowth { get; init; }

    /// <summary>Patterns of base images; empty allows all.</summary>
    public IReadOnlyList<string> AllowedBases { get; init; } = [];

    /// <summary>Labels that must have a value.</summary>
    public IReadOnlyList<string> RequiredLabels { get; init; } = [];

    public bool RequiresNonRoot { get; init; }

    /// <summary>Patterns of paths in the image that may be there whatever they are.</summary>
    public IReadOnlyList<string> AllowedFiles { get; init; } = [];

    /// <summary>Whether settings for development must not be in the image.</summary>
    public bool ForbidsDevelopmentSettings { get; init; }

    /// <summary>Where NuGet's audit of the restore is; null for none.</summary>
    public RestoreAudit? Audit { get; init; }

    /// <summary>Whether only files are looked at that a variant adds: the others are those of the image itself.</summary>
    public bool IsOfVariant { get; init; }

    /// <summary>Whether an image must be measured before it may be uploaded.</summary>
    public bool LimitsSize => MaxSize is not null || MaxGrowth is not null;

    /// <summary>Adds everything that decides the request to a digest.</summary>
    public void AddTo(DigestBuilder digest)
    {
        digest.Add(MaxSize ?? -1);
        digest.Add(MaxGrowth?.Bytes ?? -1);
        digest.Add(MaxGrowth?.Percent ?? -1);
        digest.Add(AllowedBases);
        digest.Add(RequiredLabels);
        digest.Add((RequiresNonRoot ? 1 : 0) | (ForbidsDevelopmentSettings ? 2 : 0) | (IsOfVariant ? 4 : 0));
        digest.Add(AllowedFiles);
        digest.Add(Audit?.AssetsFile);
        digest.Add(Audit?.Framework);
        digest.Add(Audit?.ArePackagesKnown == true ? 1 : 0);
    }
}

/// <summary>How much larger than the image at the tag a new one may be: one of the two has a value.</summary>
internal sealed record GrowthLimit(long? Bytes, int? Percent)
{
    public bool IsExceeded(long before, long now) =>
        Bytes is { } bytes ? now - before > bytes : (now - before) * 100.0 > before * (double)Percent!.Value;

    public override string ToString() => Percent is { } percent ? $"{percent}%" : $"{Bytes} bytes";
}
