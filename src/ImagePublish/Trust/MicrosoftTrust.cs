using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace ImagePublish.Trust;

/// <summary>Whom Microsoft's images are signed by, those of .NET among them since April 2026.</summary>
/// <remarks><see href="https://github.com/dotnet/dotnet-docker/blob/main/documentation/image-signatures.md">.NET Container Image
/// Signatures</see>.</remarks>
internal static class MicrosoftTrust
{
    public const string Name = "Microsoft";

    // 'Microsoft Supply Chain RSA Root CA 2022', which each signature brings along.
    private const string SupplyChainRoot = "23ffe2b8bdb9a1711515d4cffda04bc7f793d513c76c243f1020507d8669b7db";

    public static TrustRule Rule { get; } = Create(new TrustAnchors([], SupplyChainRoot), ReadTimeStampRoot());

    /// <summary>The same rule with other authorities.</summary>
    internal static TrustRule Create(TrustAnchors authorities, TrustAnchors timeStampAuthorities) =>
        new PolicyRule(
            Name,
            [
                new NotationStatement(Name, ["*"])
                {
                    Rule = new NotationRule
                    {
                        Authorities = authorities,
                        TimeStampAuthorities = timeStampAuthorities,
                        Identities = [SubjectPattern.TryParse("C=US, ST=Washington, L=Redmond, O=Microsoft Corporation", out _)!],
                    },
                },
            ]
        );

    // 'Microsoft Root Certificate Authority 2010', as the .NET SDK has it among the roots of time-stamps.
    private static TrustAnchors ReadTimeStampRoot()
    {
        using var pem = typeof(MicrosoftTrust).Assembly.GetManifestResourceStream("ImagePublish.MicrosoftTimeStamps.pem")!;
        using var reader = new StreamReader(pem, Encoding.ASCII);
        return new TrustAnchors([X509Certificate2.CreateFromPem(reader.ReadToEnd())]);
    }
}
