using ImagePublish.Common;
using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Registries.Auth;

namespace ImagePublish.Registries.Connection;

/// <summary>One request of the distribution API with its arguments: everything it takes to send it, as often as necessary.</summary>
/// <remarks><see href="https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#endpoints">distribution-spec,
/// Endpoints</see>.</remarks>
internal abstract record RegistryRequest(Registry Registry)
{
    public abstract HttpMethod Method { get; }

    /// <summary>What it is for, as it follows "Could not": every error message has it.</summary>
    public abstract string Description { get; }

    public abstract IReadOnlyList<Scope> Scopes { get; }

    public abstract RequestUrl Url(RequestUrl root);

    /// <summary>Whether the registry may answer it from elsewhere.</summary>
    public virtual bool FollowsRedirects => true;

    public virtual void Prepare(HttpRequestMessage request) { }

    /// <summary>Called before each attempt with the watch that a body has to touch while it is sent.</summary>
    public virtual void Sending(IdleWatch watch) { }

    protected static RequestUrl Below(RequestUrl root, string path) => root with { PathAndQuery = root.PathAndQuery + path };

    protected static void Set(HttpRequestMessage request, string name, string value) =>
        request.Headers.TryAddWithoutValidation(name, value);
}
