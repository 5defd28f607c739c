namespace ImagePublish.Diagnostics;

/// <summary>A stable code for something that a user can cause and fix, such as <c>IMG2001</c>.</summary>
/// <remarks>
/// <c>IMG1xxx</c> input, <c>IMG2xxx</c> base image, <c>IMG3xxx</c> layers and store, <c>IMG4xxx</c> registry, <c>IMG5xxx</c> credentials,
/// <c>IMG6xxx</c> operating system packages, <c>IMG9xxx</c> faults of this package. All of them stand in <see cref="DiagnosticCodes"/>.
/// </remarks>
/// <param name="Title">What it means, in a few words: the heading of its entry in the troubleshooting page.</param>
internal sealed record DiagnosticCode(string Id, string Title)
{
    /// <summary>The anchor of this code's entry in <c>docs/troubleshooting.md</c>.</summary>
    public string Anchor => Id.ToLowerInvariant();

    public override string ToString() => Id;
}
