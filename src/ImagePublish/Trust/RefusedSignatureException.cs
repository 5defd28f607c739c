using System.Diagnostics.CodeAnalysis;
using ImagePublish.Diagnostics;

namespace ImagePublish.Trust;

/// <summary>A signature is not accepted.</summary>
/// <param name="reason">Why, as a clause with the subject "it", the signature. Foreign text in it is already safe to show.</param>
[SuppressMessage("Design", "CA1064:Exceptions should be public", Justification = "It never leaves this module.")]
internal sealed class RefusedSignatureException(DiagnosticCode code, string reason, Exception? cause = null) : Exception(reason, cause)
{
    public DiagnosticCode Code { get; } = code;

    public static RefusedSignatureException Malformed(string reason, Exception? cause = null) =>
        new(DiagnosticCodes.SignatureInvalid, reason, cause);

    public static RefusedSignatureException Untrusted(string reason) => new(DiagnosticCodes.SignerUntrusted, reason);

    public static RefusedSignatureException Expired(string reason) => new(DiagnosticCodes.SignatureExpired, reason);

    public static RefusedSignatureException Unsupported(string reason) => new(DiagnosticCodes.SignatureUnsupported, reason);
}
