using ImagePublish.Diagnostics;
using ImagePublish.Trust;

namespace ImagePublish.Tests.Trust;

/// <summary>Whom <c>ImageBaseTrust=Microsoft</c> trusts.</summary>
public sealed class MicrosoftTrustTests
{
    private static readonly LeafOptions Microsoft = new()
    {
        Subject = "C=US, S=Washington, L=Redmond, O=Microsoft Corporation, CN=Microsoft SCD Products RSA Signing",
    };

    // As dotnet-docker documents its signatures: the roots of signers and of time-stamps.
    [Fact]
    public void TheRootsAreMicrosofts()
    {
        Assert.Contains(
            "23ffe2b8bdb9a1711515d4cffda04bc7f793d513c76c243f1020507d8669b7db",
            MicrosoftTrust.Rule.Identity,
            StringComparison.OrdinalIgnoreCase
        );
        Assert.Contains(
            "df545bf919a2439c36983b54cdfc903dfa4f37d3996d8d84b4c31eec6f3c163e",
            MicrosoftTrust.Rule.Identity,
            StringComparison.OrdinalIgnoreCase
        );
    }

    // A root that the signature brings along is trusted by its fingerprint.
    [Fact]
    public async Task ARootIsKnownByItsFingerprint()
    {
        var authority = new TestAuthority();
        var pinned = new TrustAnchors([], Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(authority.Root.RawData)));
        await using var bench = await SignedBench.StartAsync();
        bench.AttachNotation(NotationWriter.CoseType, authority.Issue("RSA-3072", Microsoft));

        Assert.Contains(
            "is signed by Microsoft SCD Products RSA Signing (Notation)",
            await bench.RequireAsync(MicrosoftTrust.Create(pinned, TrustAnchors.None)),
            StringComparison.Ordinal
        );
        await bench.RefusesAsync(DiagnosticCodes.SignerUntrusted, MicrosoftTrust.Rule);
    }

    [Fact]
    public async Task TheNameAloneIsNotEnough()
    {
        await using var bench = await SignedBench.StartAsync();
        bench.AttachNotation(
            NotationWriter.CoseType,
            new TestAuthority("Microsoft Supply Chain RSA Root CA 2022").Issue(options: Microsoft)
        );

        await bench.RefusesAsync(DiagnosticCodes.SignerUntrusted, MicrosoftTrust.Rule);
    }
}
