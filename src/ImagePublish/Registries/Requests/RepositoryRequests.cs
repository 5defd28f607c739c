using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Registries.Auth;
using ImagePublish.Registries.Connection;

namespace ImagePublish.Registries.Requests;

/// <summary><c>GET tags/list</c>: one page.</summary>
internal sealed record ListTags(Repository Repository, string Query, RequestUrl? Page = null) : RegistryRequest(Repository.Registry)
{
    public override HttpMethod Method => HttpMethod.Get;

    public override string Description => $"list the tags of {Repository}";

    public override IReadOnlyList<Scope> Scopes => [Scope.Pull(Repository.Name)];

    public override RequestUrl Url(RequestUrl root) => Page ?? Below(root, $"{Repository.Name}/tags/list{Query}");
}

/// <summary><c>GET /v2/</c>: whether it is a registry, and whether it knows us.</summary>
/// <param name="Wanted">What is going to be asked for, so that one token does for this and for that.</param>
internal sealed record CheckApi(Registry Registry, params IReadOnlyList<Scope> Wanted) : RegistryRequest(Registry)
{
    public override HttpMethod Method => HttpMethod.Get;

    public override string Description => $"sign in to {Registry}";

    public override IReadOnlyList<Scope> Scopes => Wanted;

    public override RequestUrl Url(RequestUrl root) => root;
}
