using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace ImagePublish.Testing;

/// <summary>Opening, mounting, asking after and giving up uploads. What moves bytes is in <see cref="UploadBody"/>.</summary>
internal sealed class UploadEndpoints(TestRegistry registry)
{
    private readonly UploadBody body = new(registry);

    private UploadOptions Options => registry.Options.Uploads;

    public async Task PostAsync(Exchange exchange)
    {
        if (exchange.Reference.Length > 0)
            await exchange.ErrorAsync(405, "UNSUPPORTED", "the operation is unsupported");
        else if (registry.Options.Content.Repositories?.Contains(exchange.Repository) == false)
            await RefuseRepositoryAsync(exchange);
        else if (exchange.Route.Step == RegistryStep.MountPost)
            await MountAsync(exchange);
        else if (exchange.Query("digest") is { } digest && Options.SinglePost)
            await SinglePostAsync(exchange, digest);
        else
            Open(exchange);
    }

    public Task PatchAsync(Exchange exchange) => InTurnAsync(exchange, newestOnly: true, session => body.PatchAsync(exchange, session));

    public Task PutAsync(Exchange exchange) => InTurnAsync(exchange, newestOnly: true, session => body.PutAsync(exchange, session));

    public Task StatusAsync(Exchange exchange) => InTurnAsync(exchange, newestOnly: false, session =>
        {
            body.Progress(exchange, session, Options.RangeWithUnit);
            exchange.Status(204);
            return Task.CompletedTask;
        });

    public Task DeleteAsync(Exchange exchange) => InTurnAsync(exchange, newestOnly: false, session =>
        {
            registry.Content.Remove(session);
            exchange.Status(204);
            return Task.CompletedTask;
        });

    private async Task MountAsync(Exchange exchange)
    {
        var (digest, from) = (exchange.Query("mount")!, exchange.Query("from"));
        if (!Digests.IsValid(digest))
            await exchange.ErrorAsync(400, "DIGEST_INVALID", "provided digest is malformed");
        else if (Options.MountNeedsFrom && string.IsNullOrEmpty(from))
            await exchange.ErrorAsync(400, "BLOB_UPLOAD_INVALID", "mount needs from");
        else if (Options.Mount && from is not null && registry.Content.Mount(exchange.Repository, from, digest))
            body.Created(exchange, digest);
        else
            Open(exchange);
    }

    private async Task SinglePostAsync(Exchange exchange, string digest)
    {
        using var session = new UploadSession(exchange.Repository, registry.Options);
        await body.FinishAsync(exchange, session, digest);
    }

    private void Open(Exchange exchange)
    {
        var session = new UploadSession(exchange.Repository, registry.Options);
        registry.Content.Add(session);
        body.Progress(exchange, session, Options.RangeWithUnit);
        if (Options.ChunkMinLength is { } minimum && !Options.HideChunkMinLength)
            exchange.Header("OCI-Chunk-Min-Length", minimum.ToString(CultureInfo.InvariantCulture));
        exchange.Status(202);
    }

    private Task RefuseRepositoryAsync(Exchange exchange)
    {
        if (!registry.Options.Content.DisconnectOnUnknownRepository)
            return exchange.ErrorAsync(
                404,
                "NAME_UNKNOWN",
                $"The repository with name '{exchange.Repository}' does not exist in the registry"
            );
        Wire.Reset(exchange.Http);
        return Task.CompletedTask;
    }

    private async Task InTurnAsync(Exchange exchange, bool newestOnly, Func<UploadSession, Task> act)
    {
        if (registry.Content.FindSession(exchange.Repository, exchange.Reference) is not { } session)
        {
            await UnknownAsync(exchange);
            return;
        }

        await session.Turn.WaitAsync(exchange.Cancelled);
        try
        {
            if (session.Ended)
                await UnknownAsync(exchange);
            else if (exchange.OnSecondHost && exchange.Record.Authorization is not null)
                await exchange.ErrorAsync(400, "UNSUPPORTED", "only one way of signing in is allowed");
            else if (Options.CheckState && !session.Knows(exchange.Record.Query, newestOnly))
                await exchange.ErrorAsync(
                    400,
                    "BLOB_UPLOAD_INVALID",
                    "the Location was not kept byte for byte, or is not the newest",
                    exchange.Record.Query
                );
            else
                await act(session);
        }
        finally
        {
            session.Turn.Release();
        }
    }

    private static Task UnknownAsync(Exchange exchange) =>
        exchange.ErrorAsync(StatusCodes.Status404NotFound, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry", exchange.Reference);
}
