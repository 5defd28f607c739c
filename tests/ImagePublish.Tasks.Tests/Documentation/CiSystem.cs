using System.Text.RegularExpressions;

namespace ImagePublish.Tasks.Tests.Documentation;

/// <summary>
/// What a CI system does around the steps of a recipe: its variables, its way to write a value into a step, and how a step hands values on.
/// </summary>
/// <param name="Variables">What each step finds in its environment; <c>HERE</c> is the folder of the sources.</param>
/// <param name="Expression">How a value is written into a step; null where the shell does that.</param>
/// <param name="Known">Values that a page's reader has set up.</param>
public sealed partial record CiSystem(
    string Name,
    IReadOnlyDictionary<string, string> Variables,
    Regex? Expression,
    IReadOnlyDictionary<string, string> Known
)
{
    public const string UserName = "ci-user";

    public const string Password = "ci-password-of-the-tests";

    private const string Commit = "0123456789abcdef0123456789abcdef01234567";

    public static CiSystem None { get; } = new("none", Map(), null, Map());

    public static CiSystem GitHub { get; } =
        new(
            "GitHub",
            Map(
                ("CI", "true"),
                ("GITHUB_ACTIONS", "true"),
                ("GITHUB_REPOSITORY", "acme/shop"),
                ("GITHUB_SERVER_URL", "https://github.com"),
                ("GITHUB_SHA", Commit),
                ("GITHUB_REF", "refs/heads/main"),
                ("GITHUB_ACTOR", "me"),
                ("GITHUB_OUTPUT", "HERE/github.output"),
                ("GITHUB_STEP_SUMMARY", "HERE/github.md")
            ),
            GitHubExpression(),
            Map(("github.repository", "acme/shop"), ("secrets.GITHUB_TOKEN", Password))
        );

    public static CiSystem Azure { get; } =
        new(
            "Azure",
            Map(
                ("TF_BUILD", "True"),
                ("BUILD_SOURCEVERSION", Commit),
                ("BUILD_SOURCEBRANCH", "refs/heads/main"),
                ("BUILD_REPOSITORY_URI", "https://dev.azure.com/acme/shop")
            ),
            AzureExpression(),
            Map(("acrUser", UserName), ("acrPassword", Password))
        );

    public static CiSystem GitLab { get; } =
        new(
            "GitLab",
            Map(
                ("CI", "true"),
                ("GITLAB_CI", "true"),
                ("CI_PROJECT_DIR", "HERE"),
                ("CI_PROJECT_URL", "https://gitlab.com/group/project"),
                ("CI_COMMIT_SHA", Commit),
                ("CI_COMMIT_BRANCH", "main"),
                ("CI_REGISTRY", "registry.gitlab.com"),
                ("CI_REGISTRY_IMAGE", "registry.gitlab.com/group/project"),
                ("CI_REGISTRY_USER", UserName),
                ("CI_REGISTRY_PASSWORD", Password)
            ),
            null,
            Map()
        );

    public static CiSystem Jenkins { get; } =
        new(
            "Jenkins",
            Map(
                ("JENKINS_URL", "https://jenkins.example.com/"),
                ("GIT_COMMIT", Commit),
                ("BRANCH_NAME", "main"),
                ("IMAGE_REGISTRY_USR", UserName),
                ("IMAGE_REGISTRY_PSW", Password)
            ),
            null,
            Map()
        );

    /// <summary>Writes values into a step.</summary>
    /// <exception cref="KeyNotFoundException">Nobody has set such a value.</exception>
    public string Fill(string text, IReadOnlyDictionary<string, string> handedOn) =>
        Expression is null
            ? text
            : Expression.Replace(text, part =>
                Known.TryGetValue(part.Groups[1].Value, out var known) ? known : handedOn[part.Groups[1].Value]
            );

    /// <summary>What a step has handed on to those after it.</summary>
    /// <param name="step">The step.</param>
    /// <param name="printed">What it has printed.</param>
    /// <param name="here">The folder of the sources.</param>
    public IReadOnlyDictionary<string, string> HandedOn(CiStep step, string printed, string here) =>
        Name switch
        {
            "GitHub" => Lines(Path.Combine(here, "github.output"))
                .ToDictionary(line => $"steps.{step.Id}.outputs.{line[0]}", line => line[1]),
            "GitLab" => Lines(Path.Combine(here, "image.env")).ToDictionary(line => line[0], line => line[1]),
            "Azure" => AzureVariable()
                .Matches(printed)
                .ToDictionary(variable => variable.Groups[1].Value, variable => variable.Groups[2].Value),
            _ => Map(),
        };

    private static IEnumerable<string[]> Lines(string file) =>
        File.Exists(file) ? File.ReadLines(file).Select(line => line.Split('=', 2)) : [];

    private static Dictionary<string, string> Map(params (string Name, string Value)[] values) =>
        values.ToDictionary(value => value.Name, value => value.Value);

    [GeneratedRegex(@"\$\{\{ (.*?) \}\}")]
    private static partial Regex GitHubExpression();

    [GeneratedRegex(@"\$\((\w+)\)")]
    private static partial Regex AzureExpression();

    [GeneratedRegex(@"##vso\[task\.setvariable variable=(\w+)\](\S+)")]
    private static partial Regex AzureVariable();
}
