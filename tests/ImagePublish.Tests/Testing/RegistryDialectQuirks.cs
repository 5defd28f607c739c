using System.Text;
using System.Text.Json.Nodes;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Testing;

public sealed class RegistryDialectQuirks
{
    private static readonly byte[] Bytes = Encoding.UTF8.GetBytes("0123456789");
    private static readonly string Digest = Digests.Sha256(Bytes);

    public static TheoryData<string> Names => [.. RegistryDialects.All.Select(d => d.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task EachDialectTakesAnImage(string name)
    {
        await using var session = await DialectSession.StartAsync(RegistryDialects.Named(name));
        var config = await session.PushBlobAsync("{}"u8.ToArray());
        var layer = await session.PushBlobAsync(Bytes);
        using var put = await session.PutManifestAsync("1", Manifest(config, layer));
        Assert.Equal(201, (int)put.StatusCode);
        using var pulled = await session.CallAsync(
            "GET",
            $"/v2/{session.Dialect.Repository}/manifests/1",
            null,
            $"Accept: {MediaTypes.OciManifest}"
        );
        Assert.Equal(200, (int)pulled.StatusCode);
        Assert.Contains(session.Registry.Requests, r => r.Status == 401);
    }

    [Fact]
    public async Task DockerHubSignsInElsewhereAndCountsPulls()
    {
        await using var session = await DialectSession.StartAsync(RegistryDialects.DockerHub);
        session.Registry.SeedImage("library/app", "1");
        using var pulled = await session.CallAsync("GET", "/v2/library/app/manifests/1");
        Assert.Equal("100;w=21600", pulled.Header("ratelimit-limit"));
        Assert.Equal(session.Registry.OtherHost, session.Registry.Requests.Of(RegistryStep.Token).Single().Host);
        using var foreign = await session.CallAsync("POST", $"/v2/library/app/blobs/uploads/?mount={Digest}&from=mcr.example/x", []);
        Assert.Equal(500, (int)foreign.StatusCode);
        using var blob = await session.CallAsync(
            "GET",
            $"/v2/library/app/blobs/{session.Registry.SeedImage("library/app", "1").ConfigDigest}"
        );
        Assert.Equal(307, (int)blob.StatusCode);
        Assert.Equal(200, await session.Client.StatusAsync("GET", blob.Header("Location")!));
        Assert.Equal(400, await session.Client.StatusAsync("GET", blob.Header("Location")!, null, Calls.Basic("a", "b")));
    }

    [Fact]
    public async Task EcrPrivateAnswers201ToPatchWithAStuckRangeAndCutsOffUnknownRepositories()
    {
        await using var session = await DialectSession.StartAsync(RegistryDialects.EcrPrivate);
        using var first = await session.CallAsync("PATCH", await session.OpenAsync(), Bytes);
        using var second = await session.CallAsync("PATCH", first.Header("Location")!, Bytes);
        Assert.Equal(
            (201, 201, "0-9", "0-9"),
            ((int)first.StatusCode, (int)second.StatusCode, first.Header("Range"), second.Header("Range"))
        );
        await Assert.ThrowsAsync<HttpRequestException>(() => session.CallAsync("POST", "/v2/unknown/blobs/uploads/", []));
        session.Registry.SeedImage("team/app", "1");
        using var tags = await session.CallAsync("GET", "/v2/team/app/tags/list?n=1001");
        Assert.Equal(400, (int)tags.StatusCode);
    }

    [Fact]
    public async Task EcrPublicKnowsNeitherStatusNorMounts()
    {
        await using var session = await DialectSession.StartAsync(RegistryDialects.EcrPublic);
        using var status = await session.CallAsync("GET", await session.OpenAsync());
        using var mount = await session.CallAsync("POST", $"/v2/team/app/blobs/uploads/?mount={Digest}&from=team/base", []);
        Assert.Equal((404, 405), ((int)status.StatusCode, (int)mount.StatusCode));
    }

    [Fact]
    public async Task GhcrRefusesChunksOver4MiB()
    {
        await using var session = await DialectSession.StartAsync(RegistryDialects.Ghcr);
        var bytes = new byte[(4 << 20) + 1];
        using var patched = await session.CallAsync("PATCH", await session.OpenAsync(), bytes, $"Content-Range: 0-{bytes.Length - 1}");
        Assert.Equal(416, (int)patched.StatusCode);
    }

    [Theory]
    [InlineData("Google Artifact Registry", 404)]
    [InlineData("Artifactory", 401)]
    [InlineData("ACR", 400)]
    public async Task SomeTokenEndpointsDoNotTakePost(string name, int status)
    {
        await using var session = await DialectSession.StartAsync(RegistryDialects.Named(name));
        Assert.Equal(
            status,
            await session.Client.StatusAsync("POST", session.Registry.Options.Auth.TokenPath, "grant_type=password"u8.ToArray())
        );
    }

    [Fact]
    public async Task GoogleTakesNoRangesAndForgetsBrokenUploads()
    {
        await using var session = await DialectSession.StartAsync(RegistryDialects.GoogleArtifactRegistry);
        using var patched = await session.CallAsync("PATCH", await session.OpenAsync(), Bytes, "Content-Range: 0-9");
        Assert.Equal(400, (int)patched.StatusCode);
        session.Registry.Faults.Add(RegistryStep.UploadPut, FaultAction.ResetAfterRequestBytes(5));
        var location = await session.OpenAsync();
        await Assert.ThrowsAsync<HttpRequestException>(() => session.CallAsync("PUT", Calls.With(location, Digest), Bytes));
        using var status = await session.CallAsync("GET", location);
        Assert.Equal(404, (int)status.StatusCode);
    }

    [Fact]
    public async Task HarborRefusesCookiesAndKeepsReleaseTags()
    {
        await using var session = await DialectSession.StartAsync(RegistryDialects.Harbor);
        using var refused = await session.CallAsync("POST", "/v2/team/app/blobs/uploads/", [], "Cookie: sid=abcdef");
        Assert.Equal(403, (int)refused.StatusCode);
        Assert.StartsWith("sid=", refused.Header("Set-Cookie"), StringComparison.Ordinal);
        session.Registry.SeedImage("team/app", "release-1");
        using var moved = await session.PutManifestAsync("release-1", new JsonObject { ["layers"] = new JsonArray() });
        Assert.Equal(412, (int)moved.StatusCode);
    }

    [Fact]
    public async Task GitLabHonoursOnlyTheLastScopeAndRefusesInMidUpload()
    {
        await using var session = await DialectSession.StartAsync(RegistryDialects.GitLab);
        using var token = await session.Client.CallAsync(
            "GET",
            $"http://{session.Registry.OtherHost}/jwt/auth?service=container_registry&scope=repository:a:push&scope=repository:b:pull",
            null,
            Calls.Basic(session.Dialect.User, session.Dialect.Password)
        );
        Assert.Equal(200, (int)token.StatusCode);
        Assert.Equal("repository:b:pull", Assert.Single(session.Registry.Tokens.Issued.Single().Grants).ToString());
        await session.PushBlobAsync(Bytes);
        Assert.Contains(session.Registry.Requests.Of(RegistryStep.UploadPut), r => r.Status == 401);
    }

    [Fact]
    public async Task QuayAddsAUnitToSomeRanges()
    {
        await using var session = await DialectSession.StartAsync(RegistryDialects.Quay);
        using var patched = await session.CallAsync("PATCH", await session.OpenAsync(), Bytes);
        using var status = await session.CallAsync("GET", patched.Header("Location")!);
        Assert.Equal(("0-9", "bytes=0-9"), (patched.Header("Range"), status.Header("Range")));
        using var mount = await session.CallAsync("POST", $"/v2/team/app/blobs/uploads/?mount={Digest}", []);
        Assert.Equal(400, (int)mount.StatusCode);
    }

    [Fact]
    public async Task ArtifactoryKeepsTheLastChunkOfAReusedLocationAndChecksAccept()
    {
        await using var session = await DialectSession.StartAsync(RegistryDialects.Artifactory);
        var location = await session.OpenAsync();
        using var first = await session.CallAsync("PATCH", location, Bytes);
        using var second = await session.CallAsync("PATCH", location, "x"u8.ToArray());
        Assert.Equal("0-0", second.Header("Range"));
        session.Registry.SeedImage("team/app", "1");
        using var pulled = await session.CallAsync("GET", "/v2/team/app/manifests/1", null, $"Accept: {MediaTypes.DockerManifest}");
        Assert.Equal(404, (int)pulled.StatusCode);
        await using var old = await DialectSession.StartAsync(RegistryDialects.ArtifactoryOld);
        using var direct = await old.CallAsync("PUT", Calls.With(await old.OpenAsync(), Digest), Bytes);
        Assert.Equal(404, (int)direct.StatusCode);
    }

    [Fact]
    public async Task NexusFailsOneFinalPut()
    {
        await using var session = await DialectSession.StartAsync(RegistryDialects.Nexus);
        var statuses = new List<int>();
        for (var i = 0; i < 3; i++)
        {
            using var put = await session.CallAsync("PUT", Calls.With(await session.OpenAsync(), Digest), Bytes);
            statuses.Add((int)put.StatusCode);
        }

        Assert.Equal([201, 400, 201], statuses);
    }

    [Fact]
    public async Task DistributionRefusesUrlsAndHasNoReferrers()
    {
        await using var session = await DialectSession.StartAsync(RegistryDialects.Distribution);
        var layer = new JsonObject
        {
            ["mediaType"] = "application/vnd.oci.image.layer.nondistributable.v1.tar",
            ["urls"] = new JsonArray("https://example.com/x"),
        };
        using var put = await session.PutManifestAsync("1", new JsonObject { ["layers"] = new JsonArray(layer) });
        using var referrers = await session.CallAsync("GET", $"/v2/team/app/referrers/{Digest}");
        Assert.Equal((400, 404), ((int)put.StatusCode, (int)referrers.StatusCode));
        Assert.StartsWith("http://", await session.OpenAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ZotTakesNeitherDockerTypesNorUntypedSinglePosts()
    {
        await using var session = await DialectSession.StartAsync(RegistryDialects.Zot);
        using var docker = await session.PutManifestAsync("1", new JsonObject { ["layers"] = new JsonArray() }, MediaTypes.DockerManifest);
        using var untyped = await session.CallAsync("POST", $"/v2/team/app/blobs/uploads/?digest={Digest}", Bytes);
        using var typed = await session.CallAsync(
            "POST",
            $"/v2/team/app/blobs/uploads/?digest={Digest}",
            Bytes,
            "Content-Type: application/octet-stream"
        );
        Assert.Equal((415, 415, 201), ((int)docker.StatusCode, (int)untyped.StatusCode, (int)typed.StatusCode));
    }

    [Fact]
    public async Task GiteaChallengesTwiceAndWantsRangesAfterTheFirstChunk()
    {
        await using var session = await DialectSession.StartAsync(RegistryDialects.Gitea);
        using var refused = await session.Client.CallAsync("GET", "/v2/");
        Assert.Equal(
            [$"Bearer realm=\"http://{session.Registry.Host}/v2/token\",service=\"container_registry\",scope=\"*\"", "Basic"],
            refused.Headers.NonValidated["WWW-Authenticate"]
        );
        using var first = await session.CallAsync("PATCH", await session.OpenAsync(), Bytes);
        using var second = await session.CallAsync("PATCH", first.Header("Location")!, Bytes);
        Assert.Equal((202, 416), ((int)first.StatusCode, (int)second.StatusCode));
    }

    private static JsonObject Manifest(string config, string layer) =>
        new()
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["config"] = new JsonObject
            {
                ["mediaType"] = MediaTypes.OciConfig,
                ["digest"] = config,
                ["size"] = 2,
            },
            ["layers"] = new JsonArray(
                new JsonObject
                {
                    ["mediaType"] = MediaTypes.OciLayerGzip,
                    ["digest"] = layer,
                    ["size"] = Bytes.Length,
                }
            ),
        };
}
