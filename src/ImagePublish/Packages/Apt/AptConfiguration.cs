namespace ImagePublish.Packages.Apt;

/// <summary>apt's configuration for one set of sources and one architecture.</summary>
internal sealed record AptConfiguration(string Folder, string Architecture, string? SourceFile, string StatusFile)
{
    /// <summary>A folder of further files of sources; null for none.</summary>
    public string? SourceFolder { get; init; }

    /// <summary>A folder with the keys of a base image that names the sources; null takes the machine's keys.</summary>
    public string? Root { get; init; }

    /// <summary>apt's ways to get something that have no part in asking an http(s) source.</summary>
    public IReadOnlyList<string> UnusedMethods { get; init; } = [];

    // What a base image names gets nothing but http(s), and is not led elsewhere: its host was checked, the next one would not be. Debian's
    // and Ubuntu's own archives don't redirect.
    private string Sources =>
        (SourceFile, Root) switch
        {
            (null, _) => "",
            (_, null) => $"""Dir::Etc::sourcelist "{SourceFile}"; Dir::Etc::sourceparts "{SourceFolder ?? "/dev/null"}";""",
            _ => $"""
                Dir::Etc::sourcelist "{SourceFile}"; Dir::Etc::sourceparts "/dev/null";
                Dir::Etc::trusted "/dev/null"; Dir::Etc::trustedparts "{Root}/etc/apt/trusted.gpg.d";
                Dir::Etc::preferences "/dev/null"; Dir::Etc::preferencesparts "/dev/null";
                Acquire::http::AllowRedirect "false"; Acquire::https::AllowRedirect "false";
                {string.Join('\n', UnusedMethods.Select(method => $"Dir::Bin::Methods::{method} \"false\";"))}
                """,
        };

    /// <summary>The file's text.</summary>
    /// <remarks>
    /// Hooks of the machine (<c>DPkg</c>, <c>APT::Update</c>) would touch it, and its further indexes (icons, file lists) would only take
    /// time. Signatures are always checked, whatever the machine says. The user that apt drops to can't enter a private folder.
    /// </remarks>
    public override string ToString() =>
        $$"""
            #clear APT::Update;
            #clear APT::Architectures;
            #clear DPkg;
            #clear Acquire::IndexTargets;
            APT::Architecture "{{Architecture}}";
            APT::Architectures { "{{Architecture}}"; };
            APT::Sandbox::User "root";
            APT::Get::AllowUnauthenticated "false";
            APT::Install-Recommends "false";
            APT::Install-Suggests "false";
            Acquire::AllowInsecureRepositories "false";
            Acquire::AllowWeakRepositories "false";
            Acquire::AllowDowngradeToInsecureRepositories "false";
            Acquire::ForceHash "sha256";
            Acquire::Languages "none";
            Acquire::Retries "3";
            Acquire::IndexTargets::deb::Packages {
              MetaKey "$(COMPONENT)/binary-$(ARCHITECTURE)/Packages"; flatMetaKey "Packages"; ShortDescription "Packages";
              Description "$(RELEASE)/$(COMPONENT) $(ARCHITECTURE) Packages"; flatDescription "$(RELEASE) Packages"; Optional "0"; };
            Dir::State "{{Folder}}/state";
            Dir::State::status "{{StatusFile}}";
            Dir::Cache "{{Folder}}/cache";
            Dir::Cache::pkgcache "pkgcache.bin";
            Dir::Cache::srcpkgcache "srcpkgcache.bin";
            Dir::Log "{{Folder}}/log";
            {{Sources}}

            """;

    public void CreateFolders()
    {
        Directory.CreateDirectory(Path.Combine(Folder, "state", "lists", "partial"));
        Directory.CreateDirectory(Path.Combine(Folder, "cache", "archives", "partial"));
        Directory.CreateDirectory(Path.Combine(Folder, "log"));
    }
}
