using System.Security.Cryptography;
using ImagePublish.Trust;

namespace ImagePublish.Signing;

/// <summary>Signs, wherever its private key is.</summary>
internal abstract class Signer
{
    /// <summary>Differs for signers with different keys, as far as that is known without asking one. Nothing secret is in it.</summary>
    public abstract string Id { get; }

    /// <exception cref="Diagnostics.ImagePublishException">It can't be had.</exception>
    public abstract Task<VerificationKey> GetPublicKeyAsync(CancellationToken cancellationToken);

    /// <summary>Signs a statement in a sigstore bundle, whose readers take the hash that belongs to the curve.</summary>
    public async Task<byte[]> SignBundleAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        var key = await GetPublicKeyAsync(cancellationToken);
        return await SignAsync(data, key.CosignAlgorithms[0], cancellationToken);
    }

    /// <summary>Signs a payload at the tag <c>sha256-….sig</c>, whose readers take SHA-256 with every key that needs a hash.</summary>
    public async Task<byte[]> SignTagAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        var key = await GetPublicKeyAsync(cancellationToken);
        var algorithm = key.CosignAlgorithms.FirstOrDefault(one => one.Hash == HashAlgorithmName.SHA256) ?? key.CosignAlgorithms[0];
        return await SignAsync(data, algorithm, cancellationToken);
    }

    /// <summary>Signs the content of a Notation envelope; ECDSA as two numbers side by side.</summary>
    public async Task<byte[]> SignEnvelopeAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        var key = await GetPublicKeyAsync(cancellationToken);
        var signature = await SignAsync(data, key.NotationAlgorithm, cancellationToken);
        return key.NotationAlgorithm.Kind == SignatureKind.Ecdsa ? EcdsaSignature.ToNumbers(signature, key) : signature;
    }

    /// <summary>Signs data; ECDSA in DER.</summary>
    protected abstract Task<byte[]> SignAsync(ReadOnlyMemory<byte> data, SignatureAlgorithm algorithm, CancellationToken cancellationToken);
}
