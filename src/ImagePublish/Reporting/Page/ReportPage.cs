using System.Text;
using System.Text.Json;
using ImagePublish.Destinations;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Publishing.Explain;

namespace ImagePublish.Reporting.Page;

/// <summary>One self-contained HTML page about an image: no network, no other file.</summary>
internal static class ReportPage
{
    private static readonly ReportJsonContext Context = new(PageTemplate.JsonOptions);

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
        string[] scripts = ["d3-hierarchy.min.js", "common.js", "page.js"];
        return PageTemplate.Write("page.html", project, ["page.css"], scripts, data.ToString());
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
