using ImagePublish.Bases;
using ImagePublish.Commands;
using ImagePublish.Engines;
using ImagePublish.Oci;
using ImagePublish.Tasks.Shared;

namespace ImagePublish.Tasks;

/// <summary>Recognises images of this machine by how they are written.</summary>
internal static class ImageSourceReader
{
    private const string StorePrefix = "store:";
    private const string EnginePrefix = "docker-daemon:";
    private const string ArchivePrefix = "archive:";
    private static readonly string[] ArchiveEndings = [".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.xz"];

    /// <summary>Reads what a command is given as an image.</summary>
    /// <exception cref="Diagnostics.ImagePublishException"><c>IMG1001</c>, <c>IMG1007</c>: it can't be understood.</exception>
    public static ImageSource Read(string text, Func<string, string> fullPath) =>
        ReadLocal(text, fullPath) ?? (RegistryImageOf(text) is { } reference ? new RegistryImage(reference) : InStore(text));

    /// <summary>Reads a reference that names its registry; without one, an image of the local store is meant.</summary>
    public static Reference? RegistryImageOf(string text)
    {
        var reference = InputParser.Named("ImageSource", text, Reference.Parse);
        var namesHub =
            text.StartsWith("docker.io/", StringComparison.Ordinal) || text.StartsWith("index.docker.io/", StringComparison.Ordinal);
        return reference.Repository.Registry != Registry.DockerHub || namesHub ? reference : null;
    }

    /// <summary>Reads <c>store:name</c>, <c>docker-daemon:name</c>, <c>archive:path</c> and whatever looks like a file.</summary>
    public static ImageSource? ReadLocal(string text, Func<string, string> fullPath) =>
        text.StartsWith(EnginePrefix, StringComparison.Ordinal) ? InEngine(text[EnginePrefix.Length..])
        : text.StartsWith(StorePrefix, StringComparison.Ordinal) ? InStore(text[StorePrefix.Length..])
        : text.StartsWith(ArchivePrefix, StringComparison.Ordinal) ? Archived(text[ArchivePrefix.Length..], fullPath)
        : IsPath(text) ? Archived(text, fullPath)
        : null;

    /// <summary>An image of the local store; one without a tag has the tag <c>latest</c>.</summary>
    public static StoreImage InStore(string name) =>
        new(name.Contains('@', StringComparison.Ordinal) || StoreNames.Tag(name) is not null ? name : $"{name}:latest");

    private static DockerImage InEngine(string name)
    {
        _ = Reference.Parse(name);
        return DockerAddress.Find(EngineEnvironment.Settings) is { } address
            ? new DockerImage(name, address)
            : throw InputParser.Invalid(
                "DOCKER_HOST",
                TaskEnvironment.Variable("DOCKER_HOST") ?? "",
                "'docker-daemon:' needs a socket, a pipe or a plain connection; save the image with 'docker save' and name the file instead"
            );
    }

    private static ArchivedImage Archived(string text, Func<string, string> fullPath)
    {
        var path = fullPath(text);
        var hash = text.LastIndexOf('#');
        return hash <= 0 || File.Exists(path) || Directory.Exists(path)
            ? new ArchivedImage(path, null)
            : new ArchivedImage(fullPath(text[..hash]), text[(hash + 1)..]);
    }

    // What can't be a name, or looks like a file.
    private static bool IsPath(string text) =>
        text.StartsWith('.')
        || text.Contains('\\', StringComparison.Ordinal)
        || Path.IsPathRooted(text)
        || Array.Exists(ArchiveEndings, ending => text.Split('#')[0].EndsWith(ending, StringComparison.OrdinalIgnoreCase));
}
