using ImagePublish.Oci;
using ImagePublish.Signing;
using ImagePublish.Signing.Keyless;

namespace ImagePublish.Requests;

/// <summary>Where signatures of an image go.</summary>
internal enum SignatureFormat
{
    /// <summary>Both of them: every reader finds one that it knows.</summary>
    Both,

    /// <summary>A sigstore bundle that is attached to the image: cosign 3.</summary>
    Bundle,

    /// <summary>The tag <c>sha256-….sig</c>: cosign 1 and 2, podman and what is built on it.</summary>
    Tag,
}

/// <summary>What an image is signed with.</summary>
/// <param name="Key">Null where <see cref="Keyless"/> says how.</param>
internal sealed record SigningRequest(Signer? Key, SignatureFormat Format)
{
    public KeylessRequest? Keyless { get; init; }

    /// <summary>Changes with the key, with its name where a program has it, or with the identity, and with the format. Nothing of the
    /// private key or the token is in it.</summary>
    public Digest Id => Digest.Compute(System.Text.Encoding.UTF8.GetBytes($"{Key?.Id}{Keyless?.Id} {Format}"));
}
