using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using ImagePublish.Common;
using ImagePublish.Destinations;
using ImagePublish.Oci;
using ImagePublish.Publishing;

namespace ImagePublish.Reporting;

/// <summary>What became of the images of all projects in one build.</summary>
/// <param name="Seconds">The time since the first project that publishes an image began.</param>
internal sealed record BuildSummary(int SchemaVersion, double Seconds, IReadOnlyList<ProjectSummary> Projects)
{
    private const int MaxNames = 20;

    public int Published => Count(ProjectSummary.PublishedOutcome);

    public int Unchanged => Count(ProjectSummary.UnchangedOutcome);

    public int Failed => Count(ProjectSummary.FailedOutcome);

    public long UploadedBytes => Projects.Sum(project => project.Images.Sum(image => image.UploadedBytes));

    public long MountedBytes => Projects.Sum(project => project.Images.Sum(image => image.MountedBytes));

    /// <summary>The requests to each host, of registries and of services that give tokens for them.</summary>
    public IReadOnlyDictionary<string, int> Requests { get; init; } = new Dictionary<string, int>();

    /// <summary>The projects whose images are new or have tags that moved: what there is to deploy.</summary>
    [JsonIgnore]
    public IEnumerable<ProjectSummary> ToDeploy => Having(ProjectSummary.PublishedOutcome);

    public static BuildSummary Create(IReadOnlyCollection<BuildRecord> records, TimeSpan elapsed) =>
        new(
            1,
            Math.Round(elapsed.TotalSeconds, 1),
            [
                .. BuildRecord
                    .Join(records)
                    .OrderBy(project => project.Project, StringComparer.Ordinal)
                    .ThenBy(project => project.File, StringComparer.Ordinal),
            ]
        )
        {
            Requests = Total(records),
        };

    // In the order of the hosts' names, so that files can be compared.
    private static SortedDictionary<string, int> Total(IEnumerable<BuildRecord> records)
    {
        var total = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var (host, count) in records.SelectMany(record => record.Requests))
            total[host] = total.GetValueOrDefault(host) + count;
        return total;
    }

    public byte[] ToJson() => Encoding.UTF8.GetBytes(ReadableJson.Printable(ResultWriter.Write(this)));

    /// <summary>The images to deploy, as one line of JSON: an array that CI systems make a matrix of jobs of.</summary>
    public string ToDeployJson()
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartArray();
            foreach (var project in ToDeploy)
            {
                json.WriteStartObject();
                json.WriteString("project", project.Project);
                json.WriteString("image", project.Images[0].Reference);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        return ReadableJson.Printable(bytes.ToArray());
    }

    /// <summary>A few lines for people: the first counts, the others name what was published and what failed.</summary>
    public IEnumerable<string> Lines()
    {
        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"Images: {Counts()}, {Seconds:0.0} s, {Moved()}, {Requests.Values.Sum()} requests"
        );
        if (Published > 0)
            yield return $"  published: {Names(ToDeploy.Select(project => project.Project))}";
        if (Failed > 0)
            yield return $"  failed: {Names(Having(ProjectSummary.FailedOutcome).Select(project => project.Failure))}";
    }

    /// <summary>One table of all projects, those that failed first and the unchanged ones last.</summary>
    public string Markdown()
    {
        var text = new StringBuilder($"### Images: {Counts()}\n\n| Project | This publish | Image |\n|---|---|---|\n");
        foreach (var project in Having(ProjectSummary.FailedOutcome))
            Row(project, project.Code is { } code ? $"failed: {code}" : "failed before it was published", "");
        foreach (var project in Having(ProjectSummary.PublishedOutcome).Concat(Having(ProjectSummary.UnchangedOutcome)))
        {
            foreach (var image in project.Images)
                Row(
                    project,
                    project.Outcome == ProjectSummary.PublishedOutcome
                        ? $"{ByteSize.Show(image.UploadedBytes)} {VerbFor(image)}"
                        : "unchanged",
                    PublishMarkdown.Code(image.Reference)
                );
        }

        return text.Append('\n').ToString();

        void Row(ProjectSummary project, string what, string image) =>
            text.Append(CultureInfo.InvariantCulture, $"| {PublishMarkdown.Code(project.Project)} | {what} | {image} |\n");
    }

    private static string VerbFor(DeliveryDocument image) => image.Registry is null ? "written" : "uploaded";

    private string Counts()
    {
        var counts = string.Create(CultureInfo.InvariantCulture, $"{Published} published, {Unchanged} unchanged");
        return Failed == 0 ? counts : string.Create(CultureInfo.InvariantCulture, $"{counts}, {Failed} failed");
    }

    private string Moved()
    {
        var images = Projects.SelectMany(project => project.Images).ToLookup(VerbFor);
        IEnumerable<string> verbs = images.Count == 0 ? ["uploaded"] : images.Select(group => group.Key).Order(StringComparer.Ordinal);
        var mounted = MountedBytes > 0 ? $", {ByteSize.Show(MountedBytes)} mounted" : "";
        return string.Join(", ", verbs.Select(verb => $"{ByteSize.Show(images[verb].Sum(image => image.UploadedBytes))} {verb}")) + mounted;
    }

    private static string Names(IEnumerable<string> names)
    {
        var all = names.Select(Text.OneLine).ToList();
        var rest = all.Count - MaxNames;
        var shown = string.Join(", ", all.Take(MaxNames));
        return rest > 0 ? string.Create(CultureInfo.InvariantCulture, $"{shown} and {rest} more") : shown;
    }

    private int Count(string outcome) => Having(outcome).Count();

    private IEnumerable<ProjectSummary> Having(string outcome) => Projects.Where(project => project.Outcome == outcome);
}

/// <summary>What became of a project's image.</summary>
internal sealed record ProjectSummary(string Project, string File, string Outcome)
{
    public const string PublishedOutcome = "published";
    public const string UnchangedOutcome = "unchanged";
    public const string FailedOutcome = "failed";

    /// <summary>The code of the error, where publishing failed; null where the build failed before.</summary>
    public string? Code { get; init; }

    public string? Digest { get; init; }

    /// <summary>The requests that publishing it took.</summary>
    public int Requests { get; init; }

    /// <summary>Where the image is now; empty for one that failed.</summary>
    public IReadOnlyList<DeliveryDocument> Images { get; init; } = [];

    [JsonIgnore]
    public string Failure => Code is null ? $"{Project} (not built)" : $"{Project} ({Code})";

    public static ProjectSummary Create(string project, string file, PublishResult result) =>
        Create(project, file, result.IsUnchanged, result.Root.Descriptor.Digest, result.Deliveries);

    public static ProjectSummary Create(string project, string file, IndexResult result) =>
        Create(project, file, result.IsUnchanged, result.Index.Descriptor.Digest, result.Deliveries);

    private static ProjectSummary Create(
        string project,
        string file,
        bool isUnchanged,
        Digest digest,
        IReadOnlyList<DestinationResult> deliveries
    ) =>
        new(project, file, isUnchanged ? UnchangedOutcome : PublishedOutcome)
        {
            Digest = digest.Value,
            Images = [.. deliveries.Select(delivery => PublishJson.Document(digest.Value, delivery))],
        };
}

/// <summary>What a project leaves for the summary of its build, in a file: projects are built in several processes.</summary>
/// <param name="Summary">What became of its image; null when its publish begins.</param>
internal sealed record BuildRecord(string Project, string File, ProjectSummary? Summary)
{
    /// <summary>The table that a CI system shows where this is the only image.</summary>
    public string? Markdown { get; init; }

    /// <summary>The requests that this took, by host.</summary>
    public IReadOnlyDictionary<string, int> Requests { get; init; } = new Dictionary<string, int>();

    /// <summary>Where the project wants the summary as JSON.</summary>
    public string? SummaryFile { get; init; }

    public byte[] ToJson() => ResultWriter.Write(this);

    /// <exception cref="JsonException">It is malformed.</exception>
    public static BuildRecord Parse(ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize(json, ResultReader.Readable.BuildRecord) ?? throw new JsonException("It is null.");

    /// <summary>Whether there is one entry for all of these.</summary>
    public static bool AreOfOneImage(IReadOnlyList<BuildRecord> records)
    {
        var (delivered, failed) = (0, 0);
        foreach (var record in records)
        {
            if (record.File != records[0].File)
                return false;
            if (record.Summary is { } summary)
                _ = summary.Outcome == ProjectSummary.FailedOutcome ? failed++ : delivered++;
        }

        return delivered == 0 || (delivered == 1 && failed == 0);
    }

    /// <summary>One entry for each image; a project that began and left none has failed.</summary>
    public static IEnumerable<ProjectSummary> Join(IReadOnlyCollection<BuildRecord> records) =>
        records.GroupBy(record => record.File, StringComparer.Ordinal).SelectMany(JoinProject);

    private static IEnumerable<ProjectSummary> JoinProject(IGrouping<string, BuildRecord> project)
    {
        var known = project.Select(record => record.Summary).OfType<ProjectSummary>().ToList();
        // Each platform of an image can fail; one line is enough.
        var failure = known.Find(summary => summary.Outcome == ProjectSummary.FailedOutcome);
        if (known.Count == 0)
            failure = new ProjectSummary(project.First().Project, project.Key, ProjectSummary.FailedOutcome);
        List<ProjectSummary> images = [.. known.Where(summary => summary.Outcome != ProjectSummary.FailedOutcome)];
        if (failure is not null)
            images.Add(failure);
        // Requests for its platforms belong to none of them alone.
        images[0] = images[0] with { Requests = project.Sum(record => record.Requests.Values.Sum()) };
        return images;
    }
}
