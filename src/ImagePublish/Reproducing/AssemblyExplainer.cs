using System.Text;
using ImagePublish.Layers;
using ImagePublish.Publishing.Explain;
using Text = ImagePublish.Common.Text;

namespace ImagePublish.Reproducing;

/// <summary>Explains why files have other bytes, by what assemblies, their symbols and lists of dependencies say of themselves.</summary>
internal sealed class AssemblyExplainer(
    ReproductionPlan plan,
    Findings findings,
    IReadOnlyDictionary<string, byte[]> named,
    IReadOnlyDictionary<string, byte[]> rebuilt
)
{
    private const string CompilerVersion = "compiler-version";
    private const string CommitAdvice = "Check out its commit";

    // They follow from the sources, from the compiler, or from nothing that is in the output.
    private static readonly string[] Derived = [CompilerVersion, "runtime-version", "source-file-count", "version"];

    /// <summary>Explains a file that differs.</summary>
    public void Explain(string path, byte[] old, byte[] now)
    {
        if (path.EndsWith(".deps.json", StringComparison.Ordinal))
            ExplainDependencies(path, old, now);
        else if (FileEvidence.DiffersInLineEndsOnly(old, now))
            ExplainLineEnds(path);
        else if (AssemblyFacts.TryRead(old) is { } was && AssemblyFacts.TryRead(now) is { } isNow)
            ExplainAssembly(path, (was, isNow), (old.Length, now.Length));
        // What symbols say is said of their assembly, and the host of an app says nothing.
        else if (!IsSymbols(path))
            ExplainOther(path);
    }

    /// <summary>Explains a file of which nothing is known but that it differs.</summary>
    public void ExplainOther(string path)
    {
        if (rebuilt.ContainsKey(path + ".dll") || IsHost(path))
            findings.Explain(
                CauseKind.Sdk,
                $"the executable {Text.Sanitize(path)} is the .NET host of another SDK",
                "Build with the SDK that its publish used: name it in global.json"
            );
        else
            findings.Explain(
                CauseKind.File,
                $"file {Text.Sanitize(path)} has other content",
                "It was changed after the publish, or comes from other sources or tools"
            );
    }

    private bool IsHost(string path) =>
        rebuilt.TryGetValue(path, out var now)
        && named.TryGetValue(path, out var old)
        && now.AsSpan().StartsWith("\x7fELF"u8)
        && old.AsSpan().StartsWith("\x7fELF"u8)
        && now.Length != old.Length
        && !LayerPath.NameOf(path).Contains(".so", StringComparison.Ordinal);

    private static bool IsSymbols(string path) => path.EndsWith(".pdb", StringComparison.OrdinalIgnoreCase);

    private void ExplainLineEnds(string path) =>
        findings.Explain(
            CauseKind.LineEnds,
            $"{Text.Sanitize(path)} has the same lines with other line ends (CR LF and LF)",
            "Let git check text out in one way on every machine: add '* text=auto eol=lf' to .gitattributes"
        );

    private void ExplainDependencies(string path, byte[] old, byte[] now)
    {
        var (was, isNow) = (Libraries(path, old), Libraries(path, now));
        foreach (var name in was.Keys.Union(isNow.Keys).Order(StringComparer.OrdinalIgnoreCase))
        {
            var (before, after) = (was.GetValueOrDefault(name), isNow.GetValueOrDefault(name));
            if (before == after)
                continue;
            var text = $"{Text.Sanitize(name)} is {Shown(before)}, and here {Shown(after)}";
            if (name.StartsWith("runtimepack.", StringComparison.Ordinal))
                findings.Explain(CauseKind.Sdk, $"the .NET that it brings, {text}", "Build with the SDK that its publish used");
            else
                findings.Explain(
                    CauseKind.Package,
                    $"package {text}",
                    "A version that floats moved, or another commit was built. Keep versions with packages.lock.json and "
                        + "RestoreLockedMode"
                );
        }
    }

    private static Dictionary<string, string> Libraries(string path, byte[] json) =>
        ImageComparison
            .Libraries(path, Encoding.UTF8.GetString(json))
            .DistinctBy(library => library.Name, StringComparer.Ordinal)
            .ToDictionary(library => library.Name, library => library.Version, StringComparer.Ordinal);

    private void ExplainAssembly(string path, (AssemblyFacts Was, AssemblyFacts Now) facts, (int Was, int Now) lengths)
    {
        var (was, now) = facts;
        var name = Text.Sanitize(LayerPath.NameOf(path));
        if (was.Mvid == now.Mvid)
        {
            findings.Explain(
                CauseKind.File,
                $"{name} was changed after it was compiled: the compiler gave both the same identity (MVID {now.Mvid})",
                lengths.Was == lengths.Now
                    ? "Bytes were replaced in it: by hand, or by a tool"
                    : "A step after the compile made the difference, such as ReadyToRun, trimming or signing"
            );
            return;
        }

        var symbols = (Was: SymbolsOf(path, named, was), Now: SymbolsOf(path, rebuilt, now));
        var before = findings.Count;
        ExplainVersion(name, was, now);
        ExplainPaths(name, was, now);
        ExplainReferences(name, was, now);
        ExplainDeterminism(name, was);
        if (symbols is ({ } old, { } own))
        {
            ExplainCompiler(name, old, own);
            new SourceExplainer(plan, findings).Explain(name, (old, was.PdbPath), (own, now.PdbPath));
        }

        if (findings.Count == before && !ExplainsAssemblies())
            findings.Explain(
                CauseKind.Source,
                $"{name} was compiled from other sources, or with other options"
                    + (symbols.Was is null ? "; its symbols, which would say which, are not in the image" : ""),
                CommitAdvice
            );
    }

    private void ExplainDeterminism(string name, AssemblyFacts was)
    {
        if (!was.IsDeterministic)
            findings.Explain(
                CauseKind.NotDeterministic,
                $"{name} was compiled without Deterministic: each compile of it is another",
                "Leave the property Deterministic as the SDK sets it"
            );
    }

    // Assemblies of packages differ where packages do.
    private bool ExplainsAssemblies() =>
        findings.Has(CauseKind.Package, CauseKind.Sdk, CauseKind.Commit, CauseKind.Paths, CauseKind.Source);

    private static PdbFacts? SymbolsOf(string path, IReadOnlyDictionary<string, byte[]> files, AssemblyFacts assembly) =>
        assembly.EmbeddedPdb
        ?? (files.TryGetValue(Path.ChangeExtension(path, ".pdb").Replace('\\', '/'), out var pdb) ? PdbFacts.TryRead(pdb) : null);

    private void ExplainVersion(string name, AssemblyFacts was, AssemblyFacts now)
    {
        if (was.InformationalVersion == now.InformationalVersion)
            return;
        var (old, own) = (Split(was.InformationalVersion), Split(now.InformationalVersion));
        if (old.Version != own.Version)
            findings.Explain(
                CauseKind.Version,
                $"{name} has version {Shown(old.Version)}, and here {Shown(own.Version)}",
                "Pass the same -p:Version=… as its publish did"
            );
        if (old.Commit != own.Commit)
            findings.Explain(
                CauseKind.Commit,
                $"{name} was built of commit {Shown(old.Commit)}, and here of {Shown(own.Commit)}",
                $"{CommitAdvice}: git checkout {Shown(old.Commit)}"
            );
    }

    private static (string? Version, string? Commit) Split(string? version) =>
        version?.IndexOf('+', StringComparison.Ordinal) is { } plus and >= 0 ? (version[..plus], version[(plus + 1)..]) : (version, null);

    private void ExplainPaths(string name, AssemblyFacts was, AssemblyFacts now)
    {
        var (old, own) = (FolderOf(was.PdbPath), FolderOf(now.PdbPath));
        if (old == own || old is null || own is null)
            return;
        if (RootOf(old) is { } root && root == RootOf(own))
        {
            findings.Explain(
                CauseKind.Options,
                $"{name} was compiled in {Text.Sanitize(old[root.Length..])}, and here in {Text.Sanitize(own[root.Length..])}",
                "Set Configuration and TargetFramework as its publish did, such as -p:Configuration=Debug"
            );
            return;
        }

        var isMapped = (Was: SourceExplainer.IsMapped(old), Now: SourceExplainer.IsMapped(own));
        findings.Explain(
            CauseKind.Paths,
            $"{name} was compiled in folder {Text.Sanitize(old)}, and here in {Text.Sanitize(own)}",
            isMapped switch
            {
                (true, false) => "Its publish had ContinuousIntegrationBuild: run again with -p:ContinuousIntegrationBuild=true",
                (false, true) => "Its publish did not have ContinuousIntegrationBuild: only a build in the same folder makes it again. "
                    + "Publish with -p:ContinuousIntegrationBuild=true from now on",
                (true, true) => "The project is elsewhere in its repository, or was built into another folder",
                _ => "Without ContinuousIntegrationBuild the folder is part of the assembly. Publish with "
                    + "-p:ContinuousIntegrationBuild=true from now on",
            }
        );
    }

    // The project's folder, before that of its intermediate files.
    private static string? RootOf(string path) =>
        path.LastIndexOf("/obj/", StringComparison.Ordinal) is var at and >= 0 ? path[..(at + 1)] : null;

    private static string? FolderOf(string? path) => path is null ? null : LayerPath.ParentOf(path.Replace('\\', '/'));

    private void ExplainReferences(string name, AssemblyFacts was, AssemblyFacts now)
    {
        foreach (var (reference, version) in was.References)
        {
            if (now.References.GetValueOrDefault(reference) is { } own && own != version)
                findings.Explain(
                    CauseKind.Package,
                    $"{name} was compiled against {Text.Sanitize(reference)} {version}, and here against {own}",
                    "A package moved, or another SDK compiled it"
                );
        }
    }

    private void ExplainCompiler(string name, PdbFacts was, PdbFacts now)
    {
        var (old, own) = (was.Options.GetValueOrDefault(CompilerVersion), now.Options.GetValueOrDefault(CompilerVersion));
        if (old != own)
            findings.Explain(
                CauseKind.Sdk,
                $"{name} was compiled by another SDK: its compiler is {Shown(old)}, and here {Shown(own)}",
                $"Build with the SDK that its publish used{(plan.NamedSdk is null ? "" : $", {Text.Sanitize(plan.NamedSdk)}")}: name it in "
                    + "global.json"
            );
        foreach (var option in was.Options.Keys.Union(now.Options.Keys).Except(Derived).Order(StringComparer.Ordinal))
        {
            var (before, after) = Distinct(was.Options.GetValueOrDefault(option), now.Options.GetValueOrDefault(option));
            if (before != after)
                findings.Explain(
                    CauseKind.Options,
                    $"{name} was compiled with {Text.Sanitize(option)} {Shown(before)}, and here {Shown(after)}",
                    option == "optimization" ? "Set Configuration as its publish did" : "Set the project's properties as its publish did"
                );
        }
    }

    // Of lists, such as the names that are defined, what only one of them has.
    private static (string? Before, string? After) Distinct(string? before, string? after)
    {
        if (before is null || after is null || before == after)
            return (before, after);
        var (old, now) = (before.Split(','), after.Split(','));
        return (string.Join(',', old.Except(now)), string.Join(',', now.Except(old)));
    }

    private static string Shown(string? text) => string.IsNullOrEmpty(text) ? "nothing" : Text.Sanitize(text);
}
