namespace ImagePublish.Tasks;

/// <summary>The base of tasks that name images: a publish names its own, a command finds the project's by the same rules.</summary>
public abstract class ImageNameTask : RegistryTask, IImageInputs
{
    /// <summary>Which tags there are where none are named.</summary>
    public string? TagPolicy { get; set; }

    /// <summary>The project's version.</summary>
    public string? Version { get; set; }

    /// <summary>The build configuration.</summary>
    public string? Configuration { get; set; }

    /// <summary>The commit that is built; empty asks git.</summary>
    public string? Revision { get; set; }

    /// <summary>The branch that is built; empty asks git.</summary>
    public string? Branch { get; set; }

    /// <summary>The image's instant, RFC 3339; empty for SOURCE_DATE_EPOCH, else the commit's.</summary>
    public string? Created { get; set; }

    /// <summary>The time of the commit that the revision names, in seconds since 1970; empty for that of HEAD.</summary>
    public string? RevisionTime { get; set; }

    /// <summary>Whether the revision may be another commit than HEAD without anybody having asked for it.</summary>
    public bool IsRevisionDefault { get; set; }

    internal abstract string? TagsOfProject { get; }

    /// <summary>What every tag ends with.</summary>
    internal virtual string TagSuffix => "";

    string IImageInputs.TagSuffix => TagSuffix;

    string? IImageInputs.Tags => TagsOfProject;

    internal string ResolvePath(string path) => FullPath(path);

    string IImageInputs.ResolvePath(string path) => FullPath(path);
}
