using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Registries.Auth;

namespace ImagePublish.Registries.Endpoints;

/// <summary><c>GET referrers/&lt;digest&gt;</c>: one page of what is attached to a manifest.</summary>
internal sealed record ListReferrers(Repository Repository, Digest Subject, RequestUrl? Page = null) : Endpoint(Repository.Registry)
{
    public override HttpMethod Method => HttpMethod.Get;

    public override string Description => $"list what is attached to {Repository}@{Subject}";

    public override IReadOnlyList<Scope> Scopes => [Scope.Pull(Repository.Name)];

    public override RequestUrl Url(RequestUrl root) => Page ?? Below(root, $"{Repository.Name}/referrers/{Subject}");

    public override void Prepare(HttpRequestMessage request) => Set(request, "Accept", MediaTypes.OciIndex);
}
