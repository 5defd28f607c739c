using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Rebasing;

/// <summary>Why images are not rebased: one code, and a reason that says what is different about this one.</summary>
internal static class Refusal
{
    private const string Publish = "Publish it on the new base instead";

    public static ImagePublishException Of(Reference image, string reason, string advice = Publish) =>
        new(DiagnosticCodes.NotRebased, $"'{image}' is not rebased: {reason}. {advice}.");

    public static ImagePublishException Unnamed(Reference image) =>
        new(
            DiagnosticCodes.BaseUnnamed,
            $"'{image}' does not say which image it is based on, by name and digest: it lacks the labels "
                + "org.opencontainers.image.base.name and base.digest. Publish it with this package, without leaving these labels out."
        );

    public static ImagePublishException Gone(Reference image, NamedBase named) =>
        new(
            DiagnosticCodes.NamedBaseGone,
            $"'{image}' is based on '{named.Reference.Repository}@{named.Digest}', which its registry does not have any more. {Publish}."
        );

    public static string Shown(string? text) => string.IsNullOrEmpty(text) ? "nothing" : $"'{Text.Sanitize(text)}'";
}
