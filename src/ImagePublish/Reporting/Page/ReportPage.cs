using System.Reflection;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Unicode;
using ImagePublish.Destinations;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Publishing.Explain;

namespace ImagePublish.Reporting.Page;

/// <summary>One self-contained HTML page about an image: no network, no other file.</summary>
internal static class ReportPage
{
    // The encoder leaves no '<' in JSON, so that nothing of an image can end the script element that it stands in.
    private static readonly ReportJsonContext Context = new(
        new JsonSerializerOptions
        {
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            Encoder = JavaScriptEncoder.Create(UnicodeRanges.All),
            Converters = { new VisibleTextConverter() },
        }
    );

    public static byte[] Part(ImageReport report) => JsonSerializer.SerializeToUtf8Bytes(Document(report), Context.PlatformDocument);

    public static byte[] Write(string project, PublishResult result, TimeSpan elapsed, byte[] part)
    {
        var head = Head(project, result) with { Seconds = Math.Round(elapsed.TotalSeconds, 1) };
        return Write(project, head, [part]);
    }

    public static byte[] Write(string project, ImagePlan plan, byte[] part) =>
        Write(project, Head(project, plan.Result) with { Planned = [.. plan.Destinations[0].Tags.Select(PlanJson.Document)] }, [part]);

    /// <summary>Writes the page for an index that is planned.</summary>
    /// <param name="deliveries">What the publish would report of all its images together, one for each destination.</param>
    public static byte[] Write(string project, IndexPlan plan, IReadOnlyList<DestinationResult> deliveries, IReadOnlyList<byte[]> parts) =>
        Write(
            project,
            Head(project, plan.Result with { Deliveries = deliveries }) with
            {
                Planned = [.. plan.Destinations[0].Tags.Select(PlanJson.Document)],
            },
            parts
        );

    public static byte[] Write(string project, IndexResult result, TimeSpan elapsed, IReadOnlyList<byte[]> parts)
    {
        var head = Head(project, result) with { Seconds = Math.Round(elapsed.TotalSeconds, 1) };
        return Write(project, head, parts);
    }

    // A browser obeys characters that turn the direction of text around, and shows others not at all.
    private sealed class VisibleTextConverter : JsonConverter<string>
    {
        public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException();

        public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) =>
            writer.WriteStringValue(Common.Text.Lines(value));

        public override void WriteAsPropertyName(Utf8JsonWriter writer, string value, JsonSerializerOptions options) =>
            writer.WritePropertyName(Common.Text.Lines(value));
    }

    private static HeadDocument Head(string project, PublishResult result) =>
        Head(project, result.Root.Descriptor, result.Deliveries, result.IsUnchanged, NextCommands.Suggest(result));

    private static HeadDocument Head(string project, IndexResult result) =>
        Head(project, result.Index.Descriptor, result.Deliveries, result.IsUnchanged, NextCommands.Suggest(result));

    private static HeadDocument Head(
        string project,
        Descriptor manifest,
        IReadOnlyList<DestinationResult> deliveries,
        bool unchanged,
        IEnumerable<(string Title, string Text)> commands
    ) =>
        new(
            project,
            $"{deliveries[0].Name}@{manifest.Digest}",
            deliveries[0].Name,
            manifest.Digest.Value,
            manifest.MediaType,
            unchanged,
            [.. deliveries.Select(delivery => PublishJson.Document(manifest.Digest.Value, delivery))],
            [.. commands.Select(command => new CommandDocument(command.Title, command.Text))]
        );

    private static byte[] Write(string project, HeadDocument head, IReadOnlyList<byte[]> parts)
    {
        var data = new StringBuilder()
            .Append("{\"head\":")
            .Append(JsonSerializer.Serialize(head, Context.HeadDocument))
            .Append(",\"platforms\":[");
        data.AppendJoin(',', parts.Select(Encoding.UTF8.GetString)).Append("]}");
        var page = new StringBuilder();
        foreach (var (text, slot) in Slots(Resource("page.html")))
        {
            page.Append(text)
                .Append(
                    slot switch
                    {
                        "title" => HtmlEncoder.Default.Encode(project),
                        "style" => Resource("page.css"),
                        "library" => Resource("d3-hierarchy.min.js"),
                        "script" => Resource("page.js"),
                        "data" => data.ToString(),
                        _ => "",
                    }
                );
        }

        return Encoding.UTF8.GetBytes(page.ToString());
    }

    // What is put in is never searched for slots itself.
    private static IEnumerable<(string Text, string Slot)> Slots(string template)
    {
        var parts = template.Split("{{");
        yield return (parts[0], "");
        foreach (var part in parts.Skip(1))
        {
            var end = part.IndexOf("}}", StringComparison.Ordinal);
            yield return ("", part[..end]);
            yield return (part[(end + 2)..], "");
        }
    }

    private static string Resource(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"ImagePublish.Report.{name}")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private static PlatformDocument Document(ImageReport report)
    {
        var image = report.Result.Image;
        var moved = report
            .Result.BlobsIn(report.Result.Deliveries[0])
            .Select(blob => blob.Transfer.ToTotals(blob.Descriptor.Size))
            .Aggregate(default(TransferTotals), TransferTotals.Add);
        return new PlatformDocument(
            image.Config.Platform.ToString(),
            image.Digest.Value,
            image.Size,
            moved.UploadedBytes,
            moved.MountedBytes,
            moved.ReusedBytes,
            new BaseDocument(report.Base.Name, report.Base.Digest?.Value, report.Base.Layers),
            [.. report.Layers.Select(Document)],
            Document(image.Config),
            EquivalentDockerfile.Write(report),
            report.Changes is { } changes
                ? new ChangesDocument(
                    changes.Name,
                    changes.Digest.Value,
                    changes.Size,
                    [.. changes.Files.Select(file => new FileDocument(file.Path, file.Before, file.After))],
                    changes.Packages,
                    changes.Config
                )
                : null
        )
        {
            Attachments = AttachmentDocument.Of(report.Result.Attached),
        };
    }

    private static PageLayerDocument Document(ReportLayer layer)
    {
        var packages = layer.Files.Select(file => file.Package).OfType<string>().Distinct(StringComparer.Ordinal).ToList();
        var numbers = packages.Index().ToDictionary(package => package.Item, package => package.Index, StringComparer.Ordinal);
        var descriptor = layer.Layer.Descriptor;
        return new PageLayerDocument(
            layer.Name,
            descriptor.Digest.Value,
            layer.Layer.DiffId.Value,
            descriptor.MediaType,
            descriptor.Size,
            layer.IsOfBase,
            BlobDocument.Word(layer.Transfer.Kind),
            layer.Transfer.UploadedBytes,
            layer.Transfer.From?.ToString(),
            packages,
            [.. layer.Files.Select(file => file.Path)],
            [.. layer.Files.Select(file => file.Size)],
            [.. layer.Files.Select(file => file.Package is null ? -1 : numbers[file.Package])]
        );
    }

    private static ConfigDocument Document(ImageConfig image)
    {
        var config = image.Config ?? new ExecutionConfig();
        return new ConfigDocument(
            image.Created,
            config.User,
            config.WorkingDir,
            config.Entrypoint ?? [],
            config.Cmd ?? [],
            [.. ExposedPort.Read(config.ExposedPorts).Select(port => port.ToString())],
            config.Volumes ?? [],
            config.Env ?? [],
            config.Labels ?? new Dictionary<string, string>(),
            config.StopSignal,
            config.Healthcheck?.Test ?? []
        );
    }
}
