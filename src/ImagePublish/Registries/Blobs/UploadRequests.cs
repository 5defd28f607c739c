using System.Globalization;
using System.Net.Http.Headers;
using ImagePublish.Common;
using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Registries.Auth;
using ImagePublish.Registries.Connection;

namespace ImagePublish.Registries.Blobs;

internal abstract record UploadRequest(Repository Repository, Digest Digest) : RegistryRequest(Repository.Registry)
{
    public override string Description => $"upload the blob {Digest} to {Repository}";

    public override IReadOnlyList<Scope> Scopes => [Scope.Push(Repository.Name)];
}

/// <summary><c>POST blobs/uploads/</c>: opens an upload session.</summary>
internal sealed record StartUpload(Repository Repository, Digest Digest) : UploadRequest(Repository, Digest)
{
    public override HttpMethod Method => HttpMethod.Post;

    public override RequestUrl Url(RequestUrl root) => Below(root, $"{Repository.Name}/blobs/uploads/");

    public override void Prepare(HttpRequestMessage request) => request.Content = new ByteArrayContent([]);
}

/// <summary><c>POST blobs/uploads/?digest=</c>: sends the whole blob, where the registry reads it.</summary>
internal sealed record PostBlob(Repository Repository, MemoryBlobSource Blob) : UploadRequest(Repository, Blob.Descriptor.Digest)
{
    public override HttpMethod Method => HttpMethod.Post;

    public override RequestUrl Url(RequestUrl root) =>
        Below(root, $"{Repository.Name}/blobs/uploads/?digest={Uri.EscapeDataString(Digest.Value)}");

    public override void Prepare(HttpRequestMessage request)
    {
        request.Content = new ReadOnlyMemoryContent(Blob.Content);
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
    }
}

/// <summary><c>PUT &lt;location&gt;?digest=</c>: sends the whole blob, or the end of it, and closes the session.</summary>
internal sealed record PutUpload(Repository Repository, Digest Digest, RequestUrl Location, BlobPart Part)
    : UploadRequest(Repository, Digest)
{
    public override HttpMethod Method => HttpMethod.Put;

    public override RequestUrl Url(RequestUrl root) => Location.With("digest", Uri.EscapeDataString(Digest.Value));

    public override void Prepare(HttpRequestMessage request) => Part.Attach(request);

    public override void Sending(IdleWatch watch) => Part.Watch = watch;
}

/// <summary><c>PATCH &lt;location&gt;</c>: sends a chunk.</summary>
internal sealed record PatchUpload(Repository Repository, Digest Digest, RequestUrl Location, BlobPart Part)
    : UploadRequest(Repository, Digest)
{
    public bool IsRanged { get; init; }

    public bool IsAlone { get; init; }

    public override HttpMethod Method => HttpMethod.Patch;

    public override RequestUrl Url(RequestUrl root) => Location;

    public override void Prepare(HttpRequestMessage request)
    {
        Part.Attach(request);
        if (IsAlone)
            request.Headers.ConnectionClose = true;
        // The bare form is the specification's; the framework's typed header would write "bytes 0-9/*".
        if (IsRanged)
            request.Content!.Headers.TryAddWithoutValidation(
                "Content-Range",
                string.Create(CultureInfo.InvariantCulture, $"{Part.Offset}-{Part.Offset + Part.Length - 1}")
            );
    }

    public override void Sending(IdleWatch watch) => Part.Watch = watch;
}

/// <summary><c>GET &lt;location&gt;</c>: how much of the blob the registry has.</summary>
internal sealed record UploadStatus(Repository Repository, Digest Digest, RequestUrl Location) : UploadRequest(Repository, Digest)
{
    public override HttpMethod Method => HttpMethod.Get;

    public override RequestUrl Url(RequestUrl root) => Location;
}

/// <summary><c>DELETE &lt;location&gt;</c>: cancels an upload.</summary>
internal sealed record CancelUpload(Repository Repository, Digest Digest, RequestUrl Location) : UploadRequest(Repository, Digest)
{
    public override HttpMethod Method => HttpMethod.Delete;

    public override RequestUrl Url(RequestUrl root) => Location;
}
