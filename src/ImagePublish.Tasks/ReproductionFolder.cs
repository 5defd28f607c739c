using ImagePublish.Common;
using ImagePublish.Reproducing;

namespace ImagePublish.Tasks;

/// <summary>The folder in which the tasks of one <c>ReproduceImage</c> hand documents to each other, until it is removed.</summary>
internal sealed class ReproductionFolder(string path)
{
    private const string Plan = "plan";
    private const string Part = ".platform";
    private const string Index = "index";

    public ReproductionPlan ReadPlan() => ReproductionJson.ReadPlan(File.ReadAllBytes(PathOf(Plan)));

    /// <exception cref="Diagnostics.ImagePublishException"><c>IMG3003</c>: it can't be written.</exception>
    public void Write(ReproductionPlan plan) => WholeFile.Write(PathOf(Plan), "plan", ReproductionJson.Write(plan));

    /// <exception cref="Diagnostics.ImagePublishException"><c>IMG3003</c>: it can't be written.</exception>
    public void Write(PlatformReproduction platform) =>
        WholeFile.Write(PathOf(platform.Platform.Replace('/', '-') + Part), "comparison", ReproductionJson.Write(platform));

    /// <exception cref="Diagnostics.ImagePublishException"><c>IMG3003</c>: it can't be written.</exception>
    public void WriteIndex(string digest) => WholeFile.Write(PathOf(Index), "index", System.Text.Encoding.ASCII.GetBytes($"\"{digest}\""));

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

    /// <summary>The digest of the index that the images would be joined into; null where there is none.</summary>
    public string? ReadIndex() => File.Exists(PathOf(Index)) ? File.ReadAllText(PathOf(Index)).Trim('"') : null;

    private string PathOf(string name) => System.IO.Path.Combine(path, name + ".json");
}
