using ImagePublish.Attachments;

namespace ImagePublish.Requests;

/// <summary>What is attested of an image, and where that is put.</summary>
internal sealed record AttestationRequest(AttestationPlacement Placement)
{
    /// <summary>Whether the image becomes an entry of an index, which then lists its attestations.</summary>
    public bool IsPartOfIndex { get; init; }

    /// <summary>What each statement is signed with, beside the image; null signs none.</summary>
    public SigningRequest? Signing { get; init; }

    /// <summary>What provenance is made of; null makes none.</summary>
    public BuildFacts? Provenance { get; init; }
}
