using ImagePublish.Common;
using ImagePublish.Reproducing;

namespace ImagePublish.Tasks;

/// <summary>The folder in which the tasks of one <c>ReproduceImage</c> hand documents to each other, until it is removed.</summary>
internal sealed class ReproductionFolder(string path)
{
    private const string Plan = "plan";
    private const string Part = ".platform";
    private const string Index = "index";
    private const string NamedIndex = "named";

    public ReproductionPlan ReadPlan() => ReproductionJson.ReadPlan(File.ReadAllBytes(PathOf(Plan)));

    /// <exception cref="Diagnostics.ImagePublishException"><c>IMG3003</c>: it can't be written.</exception>
    public void Write(ReproductionPlan plan) => WholeFile.Write(PathOf(Plan), "plan", ReproductionJson.Write(plan));

    /// <exception cref="Diagnostics.ImagePublishException"><c>IMG3003</c>: it can't be written.</exception>
    public void Write(PlatformReproduction platform) =>
        WholeFile.Write(PathOf(platform.Platform.Replace('/', '-') + Part), "comparison", ReproductionJson.Write(platform));

    /// <summary>Keeps the index that the images are compared with.</summary>
    /// <exception cref="Diagnostics.ImagePublishException"><c>IMG3003</c>: it can't be written.</exception>
    public void WriteNamed(ReadOnlyMemory<byte> index) => WholeFile.Write(PathOf(NamedIndex), "index", index.ToArray());

    /// <summary>Keeps the index that the images of this build would be joined into.</summary>
    /// <exception cref="Diagnostics.ImagePublishException"><c>IMG3003</c>: it can't be written.</exception>
    public void WriteIndex(ReadOnlyMemory<byte> index) => WholeFile.Write(PathOf(Index), "index", index.ToArray());

    public IReadOnlyList<PlatformReproduction> ReadPlatforms() =>
        !Directory.Exists(path)
            ? []
            :
            [
                .. Directory
                    .GetFiles(path, $"*{Part}.json")
                    .Order(StringComparer.Ordinal)
                    .Select(file => ReproductionJson.ReadPlatform(File.ReadAllBytes(file))),
            ];

    /// <summary>The index that the images are compared with; null where it is a single image.</summary>
    public byte[]? ReadNamed() => TryRead(NamedIndex);

    /// <summary>The index that the images of this build would be joined into; null where there is none.</summary>
    public byte[]? ReadIndex() => TryRead(Index);

    private byte[]? TryRead(string name) => File.Exists(PathOf(name)) ? File.ReadAllBytes(PathOf(name)) : null;

    private string PathOf(string name) => System.IO.Path.Combine(path, name + ".json");
}
