using System.Net.Http.Headers;
using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Registries.Auth;
using ImagePublish.Registries.Connection;

namespace ImagePublish.Registries.Requests;

/// <summary>What all requests of manifests share: <c>/v2/&lt;name&gt;/manifests/&lt;reference&gt;</c>.</summary>
internal abstract record ManifestRequest(Reference Reference) : RegistryRequest(Reference.Repository.Registry)
{
    public override IReadOnlyList<Scope> Scopes => [Scope.Pull(Reference.Repository.Name)];

    public override RequestUrl Url(RequestUrl root) => Below(root, $"{Reference.Repository.Name}/manifests/{Reference.Identifier}");
}

/// <summary><c>GET manifests/&lt;reference&gt;</c>.</summary>
internal sealed record GetManifest(Reference Reference) : ManifestRequest(Reference)
{
    public override HttpMethod Method => HttpMethod.Get;

    public override string Description => $"read the manifest {Reference}";

    public override void Prepare(HttpRequestMessage request) => Set(request, "Accept", string.Join(", ", MediaTypes.Manifests));
}

/// <summary><c>HEAD manifests/&lt;reference&gt;</c>; free of charge where pulls are counted.</summary>
internal sealed record HeadManifest(Reference Reference, bool IsPush = false) : ManifestRequest(Reference)
{
    public override HttpMethod Method => HttpMethod.Head;

    public override string Description => $"look for the manifest {Reference}";

    public override IReadOnlyList<Scope> Scopes => IsPush ? [Scope.Push(Reference.Repository.Name)] : base.Scopes;

    public override void Prepare(HttpRequestMessage request) => Set(request, "Accept", string.Join(", ", MediaTypes.Manifests));
}

/// <summary><c>PUT manifests/&lt;reference&gt;</c>: what makes an image appear.</summary>
internal sealed record PutManifest(Reference Reference, MemoryBlobSource Manifest) : ManifestRequest(Reference)
{
    public override HttpMethod Method => HttpMethod.Put;

    public override string Description => $"push the manifest {Reference}";

    public override IReadOnlyList<Scope> Scopes => [Scope.Push(Reference.Repository.Name)];

    public override void Prepare(HttpRequestMessage request)
    {
        request.Content = new ReadOnlyMemoryContent(Manifest.Content);
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(Manifest.Descriptor.MediaType);
    }
}

/// <summary><c>DELETE manifests/&lt;reference&gt;</c>.</summary>
internal sealed record DeleteManifest(Reference Reference) : ManifestRequest(Reference)
{
    public override HttpMethod Method => HttpMethod.Delete;

    public override string Description => $"delete {Reference}";

    public override IReadOnlyList<Scope> Scopes => [new Scope("repository", Reference.Repository.Name, "pull,push,delete")];
}

/// <summary><c>GET referrers/&lt;digest&gt;</c>: one page of what is attached to a manifest.</summary>
internal sealed record ListReferrers(Repository Repository, Digest Subject, RequestUrl? Page = null) : RegistryRequest(Repository.Registry)
{
    public override HttpMethod Method => HttpMethod.Get;

    public override string Description => $"list what is attached to {Repository}@{Subject}";

    public override IReadOnlyList<Scope> Scopes => [Scope.Pull(Repository.Name)];

    public override bool FollowsRedirects => false;

    public override RequestUrl Url(RequestUrl root) => Page ?? Below(root, $"{Repository.Name}/referrers/{Subject}");

    public override void Prepare(HttpRequestMessage request) => Set(request, "Accept", MediaTypes.OciIndex);
}
