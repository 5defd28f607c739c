using System.Text.Json;
using System.Text.RegularExpressions;
using ImagePublish.Commands;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Reporting.Page;
using ImagePublish.Repositories;
using ImagePublish.Testing;
using ImagePublish.Tests.Storage;

namespace ImagePublish.Tests.Repositories;

/// <summary>A registry whose repository <c>acme/shop</c> is read, by one machine again and again.</summary>
internal sealed partial class RepositoryBench : IAsyncDisposable
{
    public const string Shop = "acme/shop";

    private RepositoryBench(RegistryBench registry) => Registry = registry;

    public static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public RegistryBench Registry { get; }

    public TestRegistry Server => Registry.Server;

    public TestStore Kept { get; } = new();

    public static async Task<RepositoryBench> StartAsync(Action<TestRegistryOptions>? configure = null) =>
        new(await RegistryBench.StartAsync(configure));

    public PublishContext Context() => new(Registry.Client, Kept.Store, Registry.Log);

    public Task<RepositoryContents> ReadAsync(Func<RepositoryQuery, RepositoryQuery>? change = null, string repository = Shop)
    {
        var context = Context();
        Server.Requests.Clear();
        return ReadAsync(new RegistryRepository(context, Registry.Named(repository)), change, context);
    }

    public Task<RepositoryContents> ReadStoreAsync(string name, Func<RepositoryQuery, RepositoryQuery>? change = null) =>
        ReadAsync(new StoreRepository(Kept.Store, name), change, Context());

    public static string Page(RepositoryContents contents) =>
        System.Text.Encoding.UTF8.GetString(RepositoryPage.Write(contents, DateTimeOffset.UnixEpoch, withDrift: false));

    /// <summary>The data of a page, as its script reads it.</summary>
    public static JsonElement Data(RepositoryContents contents)
    {
        using var document = JsonDocument.Parse(DataElement().Match(Page(contents)).Groups[1].Value);
        return document.RootElement.Clone();
    }

    public async ValueTask DisposeAsync()
    {
        await Registry.DisposeAsync();
        Kept.Dispose();
    }

    private static Task<RepositoryContents> ReadAsync(
        RepositorySource source,
        Func<RepositoryQuery, RepositoryQuery>? change,
        PublishContext context
    )
    {
        var query = new RepositoryQuery(Glob.All, Limit: 0);
        return new RepositoryReader(context).ReadAsync(source, change?.Invoke(query) ?? query, Cancel);
    }

    [GeneratedRegex("""(?s)<script type="application/json" id="data">(.*?)</script>""")]
    private static partial Regex DataElement();
}
