namespace Aspire.Hosting;

/// <summary>How <c>UseImagePublish</c> publishes images.</summary>
public sealed class ImagePublishOptions
{
    /// <summary>The configuration that projects are built in.</summary>
    public string Configuration { get; set; } = "Release";

    /// <summary>
    /// MSBuild properties of the build of all projects, such as <c>ImageReport</c> or <c>ImageCompression</c>. No secrets: MSBuild shows
    /// properties in its logs.
    /// </summary>
    public IDictionary<string, string> Properties { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// Whether <c>aspire publish</c> pushes images before it writes files, so that these refer to them by digest. Only images whose
    /// registry the AppHost names with <c>AddContainerRegistry</c>; a registry that a deployment creates may not be there yet.
    /// </summary>
    public bool PushWhenPublishing { get; set; } = true;
}
