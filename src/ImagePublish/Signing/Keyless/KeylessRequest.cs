using ImagePublish.Http;
using ImagePublish.Trust;

namespace ImagePublish.Signing.Keyless;

/// <summary>Where GitHub gives a job its identity token.</summary>
/// <param name="Token">Allows to ask there.</param>
internal sealed record TokenService(string Url, string Token)
{
    public override string ToString() => "GitHub";
}

/// <summary>Where the token is from that proves who the build is: the environment has it, or the address of a service that does.</summary>
internal sealed record IdentityTokenSource
{
    /// <summary>What it is called in messages.</summary>
    public required string Name { get; init; }

    /// <summary>The token itself; null where the service is asked.</summary>
    public string? Value { get; init; }

    public TokenService? Service { get; init; }

    /// <summary>What changes with the identity, as far as it is known before the token is verified.</summary>
    public string Identity { get; init; } = "";

    public override string ToString() => Name;
}

/// <summary>How images are signed without a key.</summary>
/// <param name="Root">The instance of sigstore. Its services are asked, unless an address is given, and its keys verify what they
/// answer.</param>
internal sealed record KeylessRequest(IdentityTokenSource Source, SigstoreRoot Root)
{
    /// <summary>Changes with the identity and the instance. Nothing of the token is in it.</summary>
    public string Id => $"keyless {Root.Id} {Source.Name} {Source.Identity} {Authority} {Log} {TimeStamps} {Config?.Id}";

    /// <summary>The services that are asked where no address is given; null for those of <see cref="Root"/>.</summary>
    public SigningConfig? Config { get; init; }

    /// <summary>The authority of certificates (Fulcio); null for that of <see cref="Root"/>.</summary>
    public RequestUrl? Authority { get; init; }

    /// <summary>The log (Rekor); null for that of <see cref="Root"/>.</summary>
    public RequestUrl? Log { get; init; }

    /// <summary>The authority of time-stamps; null for none, unless the log has no time.</summary>
    public RequestUrl? TimeStamps { get; init; }
}
