namespace ImagePublish.Dockerfiles;

/// <summary>A Dockerfile, as <see href="https://docs.docker.com/reference/dockerfile/">its reference</see> describes it.</summary>
/// <param name="Arguments">The <c>ARG</c> before the first stage.</param>
/// <param name="Escape">What continues a line, and takes the meaning of the next character: a backslash or a backtick.</param>
internal sealed record Dockerfile(IReadOnlyList<DockerfileInstruction> Arguments, IReadOnlyList<DockerfileStage> Stages, char Escape)
{
    /// <summary>Finds a stage by what <c>FROM</c> or <c>COPY --from</c> calls it; null where that is an image.</summary>
    /// <param name="before">The stage that asks: only earlier ones have a name there.</param>
    public DockerfileStage? FindStage(string name, DockerfileStage before) =>
        Stages
            .TakeWhile(stage => stage != before)
            .LastOrDefault(stage => string.Equals(stage.Name, name, StringComparison.OrdinalIgnoreCase));
}

/// <summary>A <c>FROM</c> and what follows it.</summary>
/// <param name="Image">An image or an earlier stage, as it is written.</param>
internal sealed record DockerfileStage(DockerfileInstruction From, string Image, string? Name)
{
    public List<DockerfileInstruction> Instructions { get; } = [];

    public bool Equals(DockerfileStage? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => From.Line;
}

/// <summary>An instruction on one logical line.</summary>
/// <param name="Keyword">In capitals.</param>
/// <param name="Text">What follows the keyword and the flags, without comments and continuations.</param>
internal sealed record DockerfileInstruction(string Keyword, string Text, int Line)
{
    /// <summary><c>--from=build</c> is <c>from</c> and <c>build</c>; a flag without a value has an empty one.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Flags { get; init; } = [];

    public IReadOnlyList<Heredoc> Heredocs { get; init; } = [];

    public string? Flag(string name) => Flags.Where(flag => flag.Key == name).Select(flag => flag.Value).LastOrDefault();

    /// <summary>The instruction on one line, as it could be written.</summary>
    public override string ToString() =>
        string.Join(
            ' ',
            [
                Keyword,
                .. Flags.Select(flag => flag.Value.Length == 0 ? $"--{flag.Key}" : $"--{flag.Key}={flag.Value}"),
                .. Text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries),
            ]
        );
}

/// <summary>Lines that belong to an instruction, <c>&lt;&lt;EOF</c>.</summary>
internal sealed record Heredoc(string Name, string Content);
