using ImagePublish.Oci;
using ImagePublish.Signing;
using ImagePublish.Signing.Keyless;
using ImagePublish.Signing.Notation;

namespace ImagePublish.Requests;

/// <summary>The forms of signatures, and where they go.</summary>
[Flags]
internal enum SignatureFormat
{
    None = 0,

    /// <summary>A sigstore bundle that is attached to the image: cosign 3.</summary>
    Bundle = 1,

    /// <summary>The tag <c>sha256-….sig</c>: cosign 1 and 2, podman and what is built on it.</summary>
    Tag = 2,

    /// <summary>Both of sigstore's: each of its readers finds one that it knows.</summary>
    Both = Bundle | Tag,

    /// <summary>A signature of the Notary Project that is attached to the image: notation, Ratify, Kyverno.</summary>
    Notation = 4,
}

/// <summary>What an image is signed with.</summary>
/// <param name="Key">Null where <see cref="Keyless"/> says how, or a plugin of notation signs.</param>
internal sealed record SigningRequest(Signer? Key, SignatureFormat Format)
{
    public KeylessRequest? Keyless { get; init; }

    /// <summary>How signatures are made for <see cref="SignatureFormat.Notation"/>; null without it.</summary>
    public NotationRequest? Notation { get; init; }

    /// <summary>Changes with the key, with its name where a program has it, or with the identity, and with the format. Nothing of the
    /// private key or the token is in it.</summary>
    public Digest Id => Digest.Compute(System.Text.Encoding.UTF8.GetBytes($"{Key?.Id}{Keyless?.Id} {Format}{Notation?.Id}"));
}
