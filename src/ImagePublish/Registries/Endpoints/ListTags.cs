using ImagePublish.Oci;
using ImagePublish.Registries.Auth;
using ImagePublish.Registries.Http;

namespace ImagePublish.Registries.Endpoints;

/// <summary><c>GET tags/list</c>: one page.</summary>
/// <param name="Repository">The repository.</param>
/// <param name="Query">The query of the first page, with its question mark.</param>
/// <param name="Page">The address of a further page, as the page before it names it.</param>
internal sealed record ListTags(Repository Repository, string Query, RequestUrl? Page = null) : Endpoint(Repository.Registry)
{
    public override HttpMethod Method => HttpMethod.Get;

    public override string Description => $"list the tags of {Repository}";

    public override IReadOnlyList<Scope> Scopes => [Scope.Pull(Repository.Name)];

    public override RequestUrl Url(RequestUrl root) => Page ?? Below(root, $"{Repository.Name}/tags/list{Query}");
}
