using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Registries.Auth.Credentials;
using ImagePublish.Registries.Blobs;
using ImagePublish.Registries.Connection;
using ImagePublish.Tasks.Tests.Support;
using ImagePublish.Testing;
using static ImagePublish.Tasks.Tests.Registries.RegistryWork;

namespace ImagePublish.Tasks.Tests.Registries;

/// <summary>The client against CNCF distribution that wants signed tokens of a token server.</summary>
public sealed class TokenSignInTests
{
    private const int Mib = 1 << 20;
    private const string User = "ann";
    private const string Password = "pä ss:w%rd";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AnImageIsPushedAndPulledWithTokens()
    {
        await using var tokens = await TokenServer.StartAsync(User, Password, Cancelled);
        await using var registry = await tokens.StartRegistryAsync(Cancelled);
        using var client = SignedIn();
        var (blobs, manifest) = Image(sizes: [2 * Mib, 70_000]);

        await client.CheckSignInAsync(Registry.Parse(registry.Host), Cancelled);
        await PushAsync(client, Target(registry.Host), blobs, manifest);
        await ReadAsync(client, Target(registry.Host), blobs, manifest);

        // One without a scope for the check, one for everything that is done with the repository.
        Assert.InRange(tokens.HandedOut.Count, 1, 2);
    }

    [Fact]
    public async Task EverybodyPullsWhereTheTokenServerLetsThem()
    {
        await using var tokens = await TokenServer.StartAsync(User, Password, Cancelled);
        tokens.Server.Options.Auth.AnonymousPull = true;
        await using var registry = await tokens.StartRegistryAsync(Cancelled);
        var (blobs, manifest) = Image(sizes: [70_000]);
        using (var client = SignedIn())
            await PushAsync(client, Target(registry.Host), blobs, manifest);
        using var stranger = Client();

        await ReadAsync(stranger, Target(registry.Host), blobs, manifest);
        var refused = await Assert.ThrowsAsync<ImagePublishException>(() =>
            PushAsync(stranger, Target(registry.Host, "acme/other"), blobs, manifest)
        );

        Assert.Equal(DiagnosticCodes.Unauthorized, refused.Code);
        Assert.Contains(tokens.Server.Tokens.Issued, token => token.User is null);
    }

    [Fact]
    public async Task ALayerIsMountedFromARepositoryThatTheTokenNamesToo()
    {
        await using var tokens = await TokenServer.StartAsync(User, Password, Cancelled);
        await using var registry = await tokens.StartRegistryAsync(Cancelled);
        var (blobs, manifest) = Image(sizes: [Mib, 70_000]);
        var source = Target(registry.Host, "acme/base");
        var target = Target(registry.Host, "acme/shop");
        using (var earlier = SignedIn())
            await PushAsync(earlier, source, blobs, manifest);
        using var client = SignedIn();

        var mounts = await Task.WhenAll(
            blobs.Select(blob => client.PushBlobAsync(target.Repository, client.Blob(source.Repository, blob.Descriptor), Cancelled))
        );
        await client.PushManifestAsync(target, manifest, Cancelled);

        Assert.All(mounts, mount => Assert.Equal(BlobPushKind.Mounted, mount.Kind));
        Assert.Contains(tokens.Server.Tokens.Issued, token =>
            token.Grants.Select(grant => grant.Name).Order(StringComparer.Ordinal).SequenceEqual(["acme/base", "acme/shop"])
        );
        await ReadAsync(client, target, blobs, manifest);
    }

    [Fact]
    public async Task ALayerThatMayNotBeMountedIsCopied()
    {
        await using var tokens = await TokenServer.StartAsync(User, Password, Cancelled);
        await using var registry = await tokens.StartRegistryAsync(Cancelled);
        var (blobs, manifest) = Image(sizes: [70_000]);
        using (var earlier = SignedIn())
            await PushAsync(earlier, Target(registry.Host, "acme/base"), blobs, manifest);
        tokens.Server.Options.Auth.Allows = (user, name, _) => user == User && name == "acme/shop";
        using var client = SignedIn();

        var from = Target(registry.Host, "acme/base").Repository;
        var copies = await Task.WhenAll(
            blobs.Select(blob => client.PushBlobAsync(Target(registry.Host).Repository, new KeptBlob(blob, from), Cancelled))
        );
        await client.PushManifestAsync(Target(registry.Host), manifest, Cancelled);

        Assert.All(copies, copy => Assert.Equal(BlobPushKind.Uploaded, copy.Kind));
        await ReadAsync(client, Target(registry.Host, "acme/shop"), blobs, manifest);
    }

    [Fact]
    public async Task APushOutlivesTokensThatEndEarlierThanTheySay()
    {
        await using var tokens = await TokenServer.StartAsync(User, Password, Cancelled);
        tokens.TakenFor = TimeSpan.FromSeconds(2);
        await using var registry = await tokens.StartRegistryAsync(Cancelled);
        await using var line = ProxyLine.To(registry.Host);
        // It breaks once, and from then on there are many small requests, on for longer than a token is taken.
        (line.BreakAfterBytes, line.BytesPerSecond) = (3 * Mib, 3 * Mib);
        using var client = SignedIn(new RegistryClientOptions { ChunkSize = Mib });
        var (blobs, manifest) = Image(sizes: [12 * Mib]);

        await PushAsync(client, Target(line.Host), blobs, manifest);

        Assert.Contains(registry.Requests, request => request.Method == "PATCH");
        // They all say that they live for minutes: the client asks for another only where one was refused.
        Assert.InRange(tokens.Server.Tokens.Issued.Count(token => token.Grants.Count > 0), 2, 20);
        tokens.TakenFor = TimeSpan.FromMinutes(1);
        await ReadAsync(client, Target(registry.Host), blobs, manifest);
    }

    [Fact]
    public async Task AWrongPasswordIsOneError()
    {
        await using var tokens = await TokenServer.StartAsync(User, Password, Cancelled);
        await using var registry = await tokens.StartRegistryAsync(Cancelled);
        using var client = Client(credential: Credential.Create(User, "canary-of-a-password"));
        var (blobs, manifest) = Image(sizes: [70_000, 60_000, 50_000]);

        var refused = await Assert.ThrowsAsync<ImagePublishException>(() => PushAsync(client, Target(registry.Host), blobs, manifest));

        Assert.Equal(DiagnosticCodes.Unauthorized, refused.Code);
        Assert.Contains("incorrect username or password", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", refused.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
        // Once for all layers: accounts get locked.
        Assert.Equal(1, tokens.Server.Requests.CountOf(RegistryStep.Token));
    }

    private static RegistryClient SignedIn(RegistryClientOptions? options = null) => Client(options, Credential.Create(User, Password));

    // As the local store has it: the content is here, and known to be in a repository too.
    private sealed class KeptBlob(MemoryBlobSource blob, Repository repository) : BlobSource(blob.Descriptor)
    {
        public override Repository? Repository => repository;

        public override ValueTask<Stream> OpenAsync(long offset, CancellationToken cancellationToken) =>
            blob.OpenAsync(offset, cancellationToken);
    }
}
