using ImagePublish.Diagnostics;
using ImagePublish.Registries.Auth;
using ImagePublish.Registries.Auth.Credentials;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Registries;

/// <summary>
/// Each fault at each step of a push: the image arrives whole, or there is one clear error and the tag stays where it was.
/// </summary>
public sealed class FaultMatrixTests
{
    private const int Kib = 1024;
    private const string Password = "canary-password";
    private const string TokenPrefix = "canary-token-";

    private static readonly RegistryStep[] Steps =
    [
        RegistryStep.Token,
        RegistryStep.BlobHead,
        RegistryStep.MountPost,
        RegistryStep.UploadPost,
        RegistryStep.UploadPut,
        RegistryStep.UploadPatch,
        RegistryStep.UploadStatus,
        RegistryStep.UploadDelete,
        RegistryStep.ManifestPut,
    ];

    private static readonly Dictionary<string, Func<FaultAction>> Faults = new()
    {
        ["400"] = () => FaultAction.Status(400),
        ["401"] = () => FaultAction.Status(401),
        ["403"] = () => FaultAction.Status(403, """{"errors":[{"code":"DENIED","message":"no"}]}""", "application/json"),
        ["404"] = () => FaultAction.Status(404),
        ["405"] = () => FaultAction.Status(405),
        ["413"] = () => FaultAction.Status(413, readBody: false),
        ["416"] = () => FaultAction.Status(416),
        ["429"] = () => FaultAction.Status(429, headers: "Retry-After: 30"),
        ["500"] = () => FaultAction.Status(500),
        ["503 in HTML"] = () => FaultAction.Status(503, "<html><title>Busy</title></html>", "text/html"),
        ["503 at once"] = () => FaultAction.Status(503, readBody: false),
        ["200 and nothing"] = () => FaultAction.Status(200),
        ["202 and nothing"] = () => FaultAction.Status(202),
        ["redirect to itself"] = () => FaultAction.Redirect(request => request.Target),
        ["redirect to nowhere"] = () => FaultAction.Redirect("/elsewhere"),
        ["reset"] = FaultAction.Reset,
        ["reset after body"] = FaultAction.ResetAfterBody,
        ["reset in body"] = () => FaultAction.ResetAfterRequestBytes(100 * Kib),
        ["processed, then reset"] = FaultAction.ProcessThenReset,
        ["processed, then 500"] = () => FaultAction.ProcessThenStatus(500),
        ["processed, then 400"] = () => FaultAction.ProcessThenStatus(400),
        ["answered, then closed"] = FaultAction.RespondThenClose,
        ["answered, then reset"] = FaultAction.RespondThenReset,
        ["no Location"] = () => FaultAction.RemoveHeader("Location"),
        ["no Range"] = () => FaultAction.RemoveHeader("Range"),
        ["no digest"] = () => FaultAction.RemoveHeader("Docker-Content-Digest"),
        ["another digest"] = () => FaultAction.SetHeader("Docker-Content-Digest", Digests.Empty),
        ["tells the token"] = () => FaultAction.Custom("repeats the Authorization", (http, request, _) =>
            {
                http.Response.StatusCode = 400;
                return http
                    .Response.Body.WriteAsync(System.Text.Encoding.UTF8.GetBytes($"who is {request.Authorization}?"), Cancel)
                    .AsTask();
            }),
        ["truncated"] = () => FaultAction.TruncateResponse(3),
    };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<RegistryStep, string, int> Matrix
    {
        get
        {
            var matrix = new TheoryData<RegistryStep, string, int>();
            foreach (var step in Steps)
            {
                foreach (var fault in Faults.Keys)
                {
                    matrix.Add(step, fault, 1);
                    matrix.Add(step, fault, Fault.Always);
                }
            }

            return matrix;
        }
    }

    [Theory]
    [MemberData(nameof(Matrix))]
    [ReliabilityCase(
        "Push",
        "each of 29 faults at each of 9 steps, once and permanently",
        "the right image, or one clear error and no tag moved; no secret is shown"
    )]
    public async Task APushEndsWellOrInOneClearError(RegistryStep step, string fault, int times)
    {
        await using var bench = await BenchAsync();
        var old = new RandomImage(layers: 1, seed: 1);
        old.PutInto(bench.Server.Content, bench.Repository.Name, "latest");
        var image = new RandomImage(layers: 2, layerSize: 600 * Kib, seed: 2);
        bench.Server.Content.PutBlob("acme/base", image.Layers[0].Content.Span);
        if (step is RegistryStep.UploadPatch or RegistryStep.UploadStatus or RegistryStep.UploadDelete)
            bench.Fail(RegistryStep.UploadPut, FaultAction.ResetAfterRequestBytes(300 * Kib));
        if (step is RegistryStep.UploadDelete)
            bench.Fail(RegistryStep.UploadPatch, FaultAction.Status(403));
        bench.Fail(step, Faults[fault](), times);

        var failure = await PushAsync(bench, image);

        Assert.DoesNotContain("canary", $"{failure?.Message}\n{bench.Log}", StringComparison.Ordinal);
        var tag = bench.Server.Content.Tags(bench.Repository.Name)["latest"];
        if (failure is null)
        {
            Assert.Equal(image.Manifest.Descriptor.Digest.Value, tag);
            Assert.All(image.Blobs, bench.HasBlob);
        }
        else
        {
            Assert.DoesNotContain('\n', failure.Message);
            Assert.Matches("^IMG[45]", failure.Code.Id);
            Assert.True(tag == old.Manifest.Descriptor.Digest.Value || step == RegistryStep.ManifestPut, failure.Message);
        }

        // Who never hears of a session, or may not delete it, can't delete it. A reset some time after an answer may hit the beginning of
        // one.
        if (step is not (RegistryStep.UploadPost or RegistryStep.MountPost or RegistryStep.UploadDelete) && fault != "answered, then reset")
            bench.HasNoOpenUpload();
    }

    private static async Task<RegistryBench> BenchAsync()
    {
        var bench = await RegistryBench.StartAsync(options =>
        {
            options.Auth.Schemes = AuthSchemes.Bearer;
            options.Auth.Users["me"] = Password;
            options.Auth.TokenPrefix = TokenPrefix;
        });
        bench.Credential = Credential.Create("me", Password);
        bench.Options = bench.Options with { ChunkSize = 128 * Kib };
        return bench;
    }

    private static async Task<ImagePublishException?> PushAsync(RegistryBench bench, RandomImage image)
    {
        try
        {
            var mountable = bench.Client.Blob(bench.Named("acme/base"), image.Layers[0].Descriptor);
            await bench.PushAsync(mountable);
            await bench.PushAsync(image.Layers[1]);
            await bench.PushAsync(image.Config);
            await bench.Client.PushManifestAsync(bench.Latest, image.Manifest, Cancel);
            return null;
        }
        catch (ImagePublishException e)
        {
            return e;
        }
    }
}
