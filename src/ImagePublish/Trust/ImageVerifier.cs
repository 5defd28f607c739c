using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Storage;

namespace ImagePublish.Trust;

/// <summary>An image whose signatures are verified.</summary>
/// <param name="Noun">What it is called in messages.</param>
/// <param name="Name">Its reference, as the user wrote it: policies are for its repository, also where a mirror is asked.</param>
internal sealed record VerifiedSubject(string Noun, Reference Name)
{
    /// <summary>The repository that is asked.</summary>
    public required Repository Location { get; init; }

    /// <summary>The digests of what is used: the index's, and that of one platform's image. A signature of either is enough, since a signed
    /// index names the image by its digest.</summary>
    public required IReadOnlyList<Digest> Digests { get; init; }

    /// <summary>What says whose signature it must have.</summary>
    public string Setting { get; init; } = "ImageBaseTrust";

    /// <summary>What else can be done about a missing signature: a sentence after a blank.</summary>
    public string Advice { get; init; } = "";
}

/// <summary>What was found out about one signature.</summary>
/// <param name="Accepted">Null where it is refused.</param>
/// <param name="Refused">Null where it is accepted.</param>
internal sealed record SignatureResult(
    SignatureForm Form,
    Digest Digest,
    Digest Subject,
    AcceptedSignature? Accepted,
    RefusedSignatureException? Refused
)
{
    /// <summary>The form in the words of its tool.</summary>
    public string FormName =>
        Form switch
        {
            SignatureForm.Notation => "Notation",
            SignatureForm.SigstoreBundle => "cosign bundle",
            _ => "cosign tag",
        };
}

/// <summary>Verifies that images are signed as a policy wants it. What was accepted is kept in the local store, by digest and
/// policy.</summary>
internal sealed class ImageVerifier(RegistryClient registries, ImageStore store, TimeProvider time)
{
    private const string Kind = "signatures";

    // How far a signature got, from the last to the first.
    private static readonly DiagnosticCode[] ByImportance =
    [
        DiagnosticCodes.SignatureExpired,
        DiagnosticCodes.SignerUntrusted,
        DiagnosticCodes.SignatureUnsupported,
        DiagnosticCodes.SignatureInvalid,
    ];

    /// <summary>Makes sure that an image is signed.</summary>
    /// <returns>A line about who signed it.</returns>
    /// <exception cref="ImagePublishException"><c>IMG6017</c> to <c>IMG6021</c>: no signature is accepted; or what the registry fails
    /// with.</exception>
    public async Task<string> RequireAsync(TrustPolicy policy, VerifiedSubject subject, CancellationToken cancellationToken)
    {
        if (await FindKnownAsync(policy, subject, cancellationToken) is { } known)
            return known;
        var refused = new List<SignatureResult>();
        foreach (var digest in subject.Digests)
        {
            await foreach (var result in VerifyAsync(policy, subject, digest, cancellationToken))
            {
                if (result.Accepted is not { } accepted)
                {
                    refused.Add(result);
                    continue;
                }

                await RememberAsync(KeyOf(policy, subject, digest), result, accepted, cancellationToken);
                return Describe(subject, result.FormName, accepted.Signer, accepted.Doubt);
            }
        }

        throw Fail(subject, refused);
    }

    /// <summary>Finds who signed an image that is on this machine: only what was verified before counts.</summary>
    /// <returns>A line about it; null where nothing is known.</returns>
    public async Task<string?> FindKnownAsync(TrustPolicy policy, VerifiedSubject subject, CancellationToken cancellationToken)
    {
        if (policy.Rules.FirstOrDefault(rule => rule.Exempts(subject.Name.Repository)) is { } exempting)
            return $"The signatures of the {subject.Noun} {subject.Name} are not verified: {exempting.Name} leaves out its repository.";
        foreach (var digest in subject.Digests)
        {
            if (await store.Records.ReadAsync(Kind, KeyOf(policy, subject, digest), cancellationToken) is not { } record)
                continue;
            var lines = Encoding.UTF8.GetString(record).Split('\n');
            if (lines is [var until, var form, var signer, var doubt] && IsCurrent(until))
                return Describe(subject, form, signer, doubt);
        }

        return null;
    }

    /// <summary>Verifies all signatures of a manifest.</summary>
    public async IAsyncEnumerable<SignatureResult> VerifyAsync(
        TrustPolicy policy,
        VerifiedSubject subject,
        Digest digest,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var finder = new SignatureFinder(registries, subject.Location);
        await foreach (var artifact in finder.FindAsync(digest, IsWanted, cancellationToken))
            yield return Verify(policy, artifact, subject.Name.Repository, digest);

        bool IsWanted(SignatureForm form) => policy.Rules.Any(rule => rule.Considers(form));
    }

    /// <summary>The failure of an image none of whose signatures is accepted.</summary>
    public static ImagePublishException Fail(VerifiedSubject subject, IReadOnlyCollection<SignatureResult> refused)
    {
        var image = $"The {subject.Noun} '{subject.Name}' ({subject.Digests[0]})";
        if (refused.Count == 0)
            return new ImagePublishException(
                DiagnosticCodes.Unsigned,
                $"{image} has no signature that {subject.Setting} could accept in {subject.Location}. Choose a signed image, "
                    + $"or have it signed.{subject.Advice}"
            );
        var main = refused.MinBy(result => Array.IndexOf(ByImportance, result.Refused!.Code))!;
        var which = refused.Count == 1 ? "its signature" : $"none of its {refused.Count} signatures is accepted, and of one";
        var advice = $"Choose another image, or trust who signed this one in {subject.Setting}.{subject.Advice}";
        return new ImagePublishException(
            main.Refused!.Code,
            refused.Count == 1
                ? $"{image} is refused: its signature ({main.FormName}) is not accepted: {main.Refused.Message}. {advice}"
                : $"{image} is refused: {which} ({main.FormName}) this is the reason: {main.Refused.Message}. {advice}",
            main.Refused
        );
    }

    /// <summary>Verifies one signature.</summary>
    public SignatureResult Verify(TrustPolicy policy, SignatureArtifact artifact, Repository repository, Digest digest)
    {
        var refused = artifact.Problem;
        foreach (var rule in policy.Rules.Where(rule => artifact.Problem is null && rule.Considers(artifact.Form)))
        {
            try
            {
                var accepted = rule.Verify(artifact, repository, digest, time.GetUtcNow());
                return new SignatureResult(artifact.Form, artifact.Digest, digest, accepted, null);
            }
            catch (RefusedSignatureException exception)
            {
                refused = Closer(refused, exception);
            }
            catch (CryptographicException exception)
            {
                // The framework reads parts of certificates and time-stamps when they are first asked for.
                refused = Closer(refused, RefusedSignatureException.Malformed("a certificate or time-stamp of it is malformed", exception));
            }
        }

        return new SignatureResult(artifact.Form, artifact.Digest, digest, null, refused);
    }

    private static RefusedSignatureException Closer(RefusedSignatureException? one, RefusedSignatureException other) =>
        one is null || Array.IndexOf(ByImportance, other.Code) < Array.IndexOf(ByImportance, one.Code) ? other : one;

    private static string Describe(VerifiedSubject subject, string form, string signer, string? doubt)
    {
        var reported = string.IsNullOrEmpty(doubt) ? "" : $"; the policy only reports that {doubt}";
        return $"The {subject.Noun} {subject.Name} is signed by {signer} ({form}){reported}.";
    }

    private bool IsCurrent(string until) =>
        until.Length == 0
        || (long.TryParse(until, CultureInfo.InvariantCulture, out var seconds) && time.GetUtcNow().ToUnixTimeSeconds() < seconds);

    private Task RememberAsync(Digest key, SignatureResult result, AcceptedSignature accepted, CancellationToken cancellationToken)
    {
        var until = accepted.ValidUntil?.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture) ?? "";
        string[] lines = [until, result.FormName, accepted.Signer, accepted.Doubt ?? ""];
        var record = Encoding.UTF8.GetBytes(string.Join('\n', lines.Select(Text.OneLine)));
        return store.Records.WriteAsync(Kind, key, record, cancellationToken);
    }

    // A policy may decide by the repository.
    private static Digest KeyOf(TrustPolicy policy, VerifiedSubject subject, Digest digest) =>
        Digest.Compute(Encoding.UTF8.GetBytes($"{policy.Id}\n{subject.Name.Repository}\n{digest}"));
}
