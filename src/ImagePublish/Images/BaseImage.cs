using ImagePublish.Oci;

namespace ImagePublish.Images;

/// <summary>The image that an image is built on, for one platform.</summary>
/// <param name="Digest">The digest of what <paramref name="Name"/> points at: the index where there is one; null for
/// <c>scratch</c>.</param>
internal sealed record BaseImage(string Name, Digest? Digest, ImageFormat Format, ImageConfig Config, IReadOnlyList<Layer> Layers)
{
    public static BaseImage Scratch(Platform platform, IReadOnlyList<KeyValuePair<string, string>>? environmentVariables = null)
    {
        var config = new ImageConfig(platform.Architecture, platform.Os, new RootFs("layers", []))
        {
            Variant = platform.Variant,
            OsVersion = platform.OsVersion,
            History = [],
            Config = environmentVariables is null or []
                ? null
                : new ExecutionConfig { Env = EnvironmentVariables.Merge([], environmentVariables) },
        };
        return new BaseImage("scratch", null, ImageFormat.Oci, config, []);
    }
}
