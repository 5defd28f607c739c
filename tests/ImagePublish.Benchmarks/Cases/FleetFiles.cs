using ImagePublish.Layers;

namespace ImagePublish.Benchmarks.Cases;

/// <summary>
/// The publish folders of many services over shared libraries and packages, as a build leaves them. They are generated, and nothing is
/// compiled.
/// </summary>
internal sealed class FleetFiles(string folder, int services)
{
    private const int Libraries = 20;
    private const int Packages = 60;
    private const int LibrariesOfService = 8;
    private const int PackagesOfService = 20;

    /// <summary>Services of a company are made alike: so many different sets of packages there are.</summary>
    private const int Stacks = 6;

    private int version;

    public IEnumerable<int> All => Enumerable.Range(0, services);

    public string FolderOf(int service) => Path.Combine(folder, $"publish-{service}");

    /// <summary>Which of the files is whose.</summary>
    public static IReadOnlyCollection<PublishItem> ItemsOf(int service) =>
        [
            .. PackagesOf(service).Select(package => new PublishItem($"Package{package}.dll", PublishItemOrigin.Package)),
            .. LibrariesOf(service).Select(library => new PublishItem($"Library{library}.dll", PublishItemOrigin.Project)),
        ];

    public void WriteAll()
    {
        foreach (var service in All)
        {
            WriteApp(service);
            foreach (var library in LibrariesOf(service))
                WriteLibrary(service, library);
            foreach (var package in PackagesOf(service))
                WritePackage(service, package);
        }
    }

    public void ChangeService(int service)
    {
        version++;
        WriteApp(service);
    }

    /// <summary>What any commit does where assemblies name HEAD.</summary>
    public void NameAnotherHead()
    {
        version++;
        foreach (var service in All)
            WriteApp(service);
    }

    public void ChangeLibrary(int library)
    {
        version++;
        foreach (var service in All.Where(service => LibrariesOf(service).Contains(library)))
            WriteLibrary(service, library);
    }

    public void UpdatePackage(int package)
    {
        version++;
        foreach (var service in All.Where(service => PackagesOf(service).Contains(package)))
            WritePackage(service, package);
    }

    private static IEnumerable<int> LibrariesOf(int service) =>
        Enumerable.Range(0, LibrariesOfService).Select(at => (service + (at * 7)) % Libraries).Distinct();

    private static IEnumerable<int> PackagesOf(int service) =>
        Enumerable.Range(0, PackagesOfService).Select(at => ((service % Stacks * 10) + at) % Packages);

    private void WriteApp(int service) => Write(service, "App.dll", 60_000, seed: 100_000 + service);

    private void WriteLibrary(int service, int library) => Write(service, $"Library{library}.dll", 40_000, seed: 1_000 + library);

    private void WritePackage(int service, int package) =>
        Write(service, $"Package{package}.dll", 20_000 + (package * 5_000), seed: package);

    // Half of an assembly is about as dense as noise.
    private void Write(int service, string name, int length, int seed)
    {
        var content = new byte[length];
        new Random(seed + (version * 10_000_000)).NextBytes(content.AsSpan(0, length / 2));
        Directory.CreateDirectory(FolderOf(service));
        File.WriteAllBytes(Path.Combine(FolderOf(service), name), content);
    }
}
