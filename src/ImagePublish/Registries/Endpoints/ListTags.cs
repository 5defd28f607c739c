using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Registries.Auth;

namespace ImagePublish.Registries.Endpoints;

/// <summary><c>GET tags/list</c>: one page.</summary>
internal sealed record ListTags(Repository Repository, string Query, RequestUrl? Page = null) : Endpoint(Repository.Registry)
{
    public override HttpMethod Method => HttpMethod.Get;

    public override string Description => $"list the tags of {Repository}";

    public override IReadOnlyList<Scope> Scopes => [Scope.Pull(Repository.Name)];

    public override RequestUrl Url(RequestUrl root) => Page ?? Below(root, $"{Repository.Name}/tags/list{Query}");
}
