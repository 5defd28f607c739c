using ImagePublish.Dockerfiles;

namespace ImagePublish.Migration;

/// <summary>Translates what <c>RUN</c> does to the image, command by command.</summary>
internal sealed class RunInstructions(FinalStage final, KnownBase known, AddedAccounts accounts, MigrationFindings findings)
{
    private const string OwnBase = "build a base image of your own with this line, and name it in ImageBase";

    private static readonly string[] Silent = ["echo", "true", "set", "cd", "export", ":", "exit", "sync", "ldconfig", "test", "["];

    private static readonly string[] Icu = ["icu-libs", "icu-data-full", "icu", "libicu"];

    public string? AppFolder { get; init; }

    public void Run(StageStep step)
    {
        var commands = step.Commands();
        var before = findings.All.Count;
        var made = commands.Where(IsFolder).SelectMany(Folders).ToHashSet();
        foreach (var command in commands)
            Translate(step, command, new RunContext(commands, made));
        if (findings.All.Count == before)
            findings.NotNeeded(
                step,
                commands.All(command => command.Words[0] == "dotnet")
                    ? "dotnet publish does its work"
                    : "leaves nothing in the image that the app needs"
            );
    }

    private void Translate(StageStep step, ShellCommand command, RunContext run)
    {
        string[] words =
        [
            .. command.Words.SkipWhile(word => word is "sudo" || word.StartsWith("DEBIAN_FRONTEND=", StringComparison.Ordinal)),
        ];
        if (!command.IsPlain || words.Length == 0)
            ByHand(step, command);
        else if (Packages(words) is { } packages)
            Install(step, command, words[0], packages);
        else if (IsFolder(command))
            Add(step, command, MigrationState.Set, "", [.. Folders(command).Select(folder => Directory(step, folder, run))]);
        else if (words is ["chown", .. var chown])
            Own(step, command, chown, run);
        else if (words is ["chmod", .. var chmod])
            Allow(step, command, chmod, run);
        else if (words is ["ln", "-s" or "-sf" or "-fs" or "-snf" or "-sfn", var target, var link])
            Add(step, command, MigrationState.Set, "", [MigrationEntry.Item("ImageSymlink", step.Absolute(link), ("LinkTarget", target))]);
        else if (words is ["dotnet", "tool" or "dev-certs" or "ef", ..])
            ByHand(step, command);
        else if (words is ["update-ca-certificates", ..])
            Add(
                step,
                command,
                MigrationState.ByHand,
                "the file is there, but not in the bundle: SSL_CERT_DIR names its folder, or " + OwnBase,
                []
            );
        else if (!IsHarmless(command, words))
            ByHand(step, command);
    }

    private static bool IsHarmless(ShellCommand command, string[] words) =>
        Silent.Contains(words[0])
        || AddedAccounts.IsAccount(command)
        || words is ["dotnet" or "npm" or "yarn" or "pnpm", ..]
        || words
            is [
                "apt-get"
                or "apt"
                or "apk"
                or "microdnf"
                or "dnf"
                or "tdnf"
                or "yum",
                "update"
                or "upgrade"
                or "clean"
                or "autoremove"
                or "autoclean"
                or "purge"
                or "makecache"
                or "-y"
                or "dist-upgrade",
                ..,
            ]
        || words is ["rm", ..] && words.Skip(1).All(word => word[0] is '-' || IsTemporary(word))
        || words is ["groupadd" or "addgroup", ..];

    private static bool IsTemporary(string path) =>
        path.StartsWith("/var/lib/apt/", StringComparison.Ordinal)
        || path.StartsWith("/var/cache/", StringComparison.Ordinal)
        || path.StartsWith("/tmp", StringComparison.Ordinal)
        || path.StartsWith("/var/tmp", StringComparison.Ordinal)
        || path.StartsWith("/root/", StringComparison.Ordinal);

    private void Install(StageStep step, ShellCommand command, string manager, string[] packages)
    {
        var wanted = packages.Where(package => !IsForHealthcheck(package)).ToList();
        if (wanted.Count < packages.Length)
            Add(
                step,
                $"{manager} … curl",
                MigrationState.NotNeeded,
                "the health check needs none; ImagePackage adds it for anything else",
                []
            );
        if (wanted.Count == 0)
            return;
        if (wanted.Any(package => package.Contains('$', StringComparison.Ordinal)))
            ByHand(step, command);
        else if (manager is not ("apt-get" or "apt"))
            Other(step, command, wanted);
        else if (known.HasApt)
            Add(step, command, MigrationState.Set, Dependencies(wanted), [.. wanted.Select(Package)]);
        else
            ByHand(step, command);
    }

    private void Other(StageStep step, ShellCommand command, List<string> wanted)
    {
        var needsBase = wanted.TrueForAll(package =>
            Icu.Contains(package) || package is "tzdata" or "ca-certificates" or "libstdc++" or "libgcc"
        );
        Add(
            step,
            command,
            MigrationState.ByHand,
            needsBase
                ? "ImagePackage is for Debian and Ubuntu, whose bases have these: leave the family out, or use noble-chiseled-extra"
                : $"ImagePackage is for Debian and Ubuntu: leave the family out, or {OwnBase}",
            []
        );
    }

    private static string Dependencies(List<string> packages) =>
        packages.Exists(package => package.Contains('=', StringComparison.Ordinal))
            ? "with their dependencies; a lock file pins their versions"
            : "with their dependencies";

    private static MigrationEntry Package(string package) => MigrationEntry.Item("ImagePackage", package.Split('=')[0]);

    private bool IsForHealthcheck(string package) =>
        package is "curl" or "wget"
        && final.Last("HEALTHCHECK") is { } check
        && check.Instruction.Text.Contains(package, StringComparison.Ordinal)
        && check.Instruction.Text.Contains("http://", StringComparison.Ordinal);

    private MigrationEntry Directory(StageStep step, string folder, RunContext run)
    {
        var owner = run
            .Commands.Where(command => command.Words[0] == "chown" && command.Words[^1] == folder)
            .Select(command => Operand(command.Words, 0));
        var mode = run
            .Commands.Where(command => command.Words[0] == "chmod" && command.Words[^1] == folder)
            .Select(command => Operand(command.Words, 0));
        return MigrationEntry.Item(
            "ImageDirectory",
            folder,
            ("Owner", owner.LastOrDefault() is { } name ? accounts.Replace(step.Expand(name)) : null),
            ("Mode", Octal(mode.LastOrDefault()))
        );
    }

    private void Own(StageStep step, ShellCommand command, IReadOnlyList<string> words, RunContext run)
    {
        var owner = Operand(words, 0) is { } name ? accounts.Replace(step.Expand(name)) : null;
        var folders = Operands(words).Skip(1).Select(step.Absolute).Select(folder => folder.TrimEnd('/')).ToList();
        if (owner is null || !DockerfileText.IsKnown(owner))
            ByHand(step, command);
        else if (folders.TrueForAll(folder => folder == (AppFolder ?? "/app").TrimEnd('/')))
            Add(
                step,
                command,
                MigrationState.Set,
                "without it, root owns the app's files",
                [MigrationEntry.Property("ImageFileOwner", owner)]
            );
        else if (!folders.TrueForAll(run.Made.Contains))
            Add(
                step,
                command,
                MigrationState.Check,
                "",
                [.. folders.Select(folder => MigrationEntry.Item("ImageDirectory", folder, ("Owner", owner)))]
            );
    }

    private void Allow(StageStep step, ShellCommand command, IReadOnlyList<string> words, RunContext run)
    {
        var paths = Operands(words).Skip(1).Select(step.Absolute).ToList();
        var isExecutable = Operand(words, 0) is "+x" or "a+x" or "u+x" or "755" or "0755" or "ugo+x";
        if (isExecutable)
            Add(step, command, MigrationState.NotNeeded, "programs, and scripts that begin with #!, are executable", []);
        else if (!paths.TrueForAll(path => run.Made.Contains(path.TrimEnd('/'))))
            Add(step, command, MigrationState.ByHand, "say it with Mode of the file's ImageFile, or of an ImageDirectory", []);
    }

    private static string? Octal(string? mode) =>
        mode is { Length: 3 or 4 } && mode.All(digit => digit is >= '0' and <= '7') ? mode.PadLeft(4, '0') : null;

    private static string[]? Packages(string[] words)
    {
        if (words[0] is not ("apt-get" or "apt" or "apk" or "microdnf" or "dnf" or "tdnf" or "yum"))
            return null;
        string[] operands = [.. Operands(words.Skip(1))];
        return operands is ["install" or "add", .. var packages] ? packages : null;
    }

    private static IEnumerable<string> Operands(IEnumerable<string> words)
    {
        var list = words.ToList();
        for (var at = 0; at < list.Count; at++)
        {
            if (list[at] is "-t" or "-o" or "--virtual" or "--repository" or "-X" or "--target-release")
                at++;
            else if (list[at] is not ['-', ..])
                yield return list[at];
        }
    }

    private static string? Operand(IEnumerable<string> words, int at)
    {
        string[] list = [.. words];
        return Operands(list is ["chown" or "chmod", .. var rest] ? rest : list).ElementAtOrDefault(at);
    }

    private static bool IsFolder(ShellCommand command) => command is { IsPlain: true, Words: ["mkdir", ..] };

    private static IEnumerable<string> Folders(ShellCommand command) =>
        Operands(command.Words.Skip(1)).Where(folder => folder.StartsWith('/')).Select(folder => folder.TrimEnd('/'));

    private void ByHand(StageStep step, ShellCommand command) => Add(step, command, MigrationState.ByHand, OwnBase, []);

    private void Add(StageStep step, ShellCommand command, MigrationState state, string note, IReadOnlyList<MigrationEntry> entries) =>
        findings.Add($"RUN {command.Text}", step.Instruction.Line, state, note, entries);

    private void Add(StageStep step, string text, MigrationState state, string note, IReadOnlyList<MigrationEntry> entries) =>
        findings.Add($"RUN {text}", step.Instruction.Line, state, note, entries);

    /// <summary>The whole instruction of a command, and the folders that it makes.</summary>
    private sealed record RunContext(IReadOnlyList<ShellCommand> Commands, IReadOnlySet<string> Made);
}
