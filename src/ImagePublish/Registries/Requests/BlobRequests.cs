using System.Globalization;
using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Registries.Auth;
using ImagePublish.Registries.Connection;

namespace ImagePublish.Registries.Requests;

/// <summary>What all requests of blobs share: <c>/v2/&lt;name&gt;/blobs/&lt;digest&gt;</c>.</summary>
internal abstract record BlobRequest(Repository Repository, Digest Digest) : RegistryRequest(Repository.Registry)
{
    public override RequestUrl Url(RequestUrl root) => Below(root, $"{Repository.Name}/blobs/{Digest}");
}

/// <summary><c>GET blobs/&lt;digest&gt;</c>, from an offset on.</summary>
internal sealed record GetBlob(Repository Repository, Digest Digest, long Offset) : BlobRequest(Repository, Digest)
{
    public override HttpMethod Method => HttpMethod.Get;

    public override string Description => $"read the blob {Digest} of {Repository}";

    public override IReadOnlyList<Scope> Scopes => [Scope.Pull(Repository.Name)];

    public override void Prepare(HttpRequestMessage request)
    {
        if (Offset > 0)
            Set(request, "Range", string.Create(CultureInfo.InvariantCulture, $"bytes={Offset}-"));
    }
}

/// <summary><c>HEAD blobs/&lt;digest&gt;</c>, before a push.</summary>
internal sealed record HeadBlob(Repository Repository, Digest Digest) : BlobRequest(Repository, Digest)
{
    public override HttpMethod Method => HttpMethod.Head;

    public override string Description => $"look for the blob {Digest} in {Repository}";

    public override IReadOnlyList<Scope> Scopes => [Scope.Push(Repository.Name)];
}

/// <summary><c>POST blobs/uploads/?mount=&lt;digest&gt;&amp;from=&lt;name&gt;</c>: takes a blob over from another repository of the same
/// registry.</summary>
internal sealed record MountBlob(Repository Repository, Repository From, Digest Digest) : RegistryRequest(Repository.Registry)
{
    public override HttpMethod Method => HttpMethod.Post;

    public override string Description => $"mount the blob {Digest} of {From} in {Repository}";

    // The push first: RegistrySignIn leaves the others out where only one scope is granted.
    public override IReadOnlyList<Scope> Scopes => [Scope.Push(Repository.Name), Scope.Pull(From.Name)];

    public override RequestUrl Url(RequestUrl root) =>
        Below(root, $"{Repository.Name}/blobs/uploads/?mount={Uri.EscapeDataString(Digest.Value)}&from={Uri.EscapeDataString(From.Name)}");

    public override void Prepare(HttpRequestMessage request) => request.Content = new ByteArrayContent([]);
}
