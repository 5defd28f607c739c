using System.Security.Cryptography;

namespace ImagePublish.Trust;

/// <summary>A kind of signature.</summary>
internal enum SignatureKind
{
    Ecdsa,

    RsaPss,

    RsaPkcs1,

    Ed25519,
}

/// <summary>An algorithm of signatures. A key decides which of them it may be used with: what an envelope says is only compared.</summary>
internal sealed record SignatureAlgorithm(SignatureKind Kind, HashAlgorithmName Hash)
{
    public static SignatureAlgorithm EcdsaSha256 { get; } = new(SignatureKind.Ecdsa, HashAlgorithmName.SHA256);

    public static SignatureAlgorithm EcdsaSha384 { get; } = new(SignatureKind.Ecdsa, HashAlgorithmName.SHA384);

    public static SignatureAlgorithm EcdsaSha512 { get; } = new(SignatureKind.Ecdsa, HashAlgorithmName.SHA512);

    public static SignatureAlgorithm RsaPkcs1Sha256 { get; } = new(SignatureKind.RsaPkcs1, HashAlgorithmName.SHA256);

    public static SignatureAlgorithm RsaPssSha256 { get; } = new(SignatureKind.RsaPss, HashAlgorithmName.SHA256);

    public static SignatureAlgorithm RsaPssSha384 { get; } = new(SignatureKind.RsaPss, HashAlgorithmName.SHA384);

    public static SignatureAlgorithm RsaPssSha512 { get; } = new(SignatureKind.RsaPss, HashAlgorithmName.SHA512);

    /// <summary>It hashes the data itself.</summary>
    public static SignatureAlgorithm Ed25519 { get; } = new(SignatureKind.Ed25519, default);

    /// <summary>Its name in JWS; null where Notation does not use it.</summary>
    public string? JwsName =>
        Kind is SignatureKind.RsaPkcs1 or SignatureKind.Ed25519 ? null : $"{(Kind == SignatureKind.Ecdsa ? "ES" : "PS")}{Hash.Name![3..]}";

    /// <summary>Its number in COSE (<see href="https://www.iana.org/assignments/cose/cose.xhtml#algorithms">IANA</see>); null where
    /// Notation does not use it.</summary>
    public int? CoseNumber =>
        JwsName switch
        {
            "ES256" => -7,
            "ES384" => -35,
            "ES512" => -36,
            "PS256" => -37,
            "PS384" => -38,
            "PS512" => -39,
            _ => null,
        };
}
