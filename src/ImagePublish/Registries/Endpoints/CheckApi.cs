using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Registries.Auth;

namespace ImagePublish.Registries.Endpoints;

/// <summary><c>GET /v2/</c>: whether it is a registry, and whether it knows us.</summary>
internal sealed record CheckApi(Registry Registry) : Endpoint(Registry)
{
    public override HttpMethod Method => HttpMethod.Get;

    public override string Description => $"sign in to {Registry}";

    public override IReadOnlyList<Scope> Scopes => [];

    public override RequestUrl Url(RequestUrl root) => root;
}
