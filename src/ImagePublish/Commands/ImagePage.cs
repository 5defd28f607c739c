using ImagePublish.Oci;

namespace ImagePublish.Commands;

/// <summary>The web pages of registries.</summary>
internal static class ImagePage
{
    private const string GitLab = "registry.gitlab.com";

    public static Uri? FindAddress(Repository repository)
    {
        var host = repository.Registry.HostName;
        var name = repository.Name;
        var url = host switch
        {
            "docker.io" => name.StartsWith("library/", StringComparison.Ordinal)
                ? $"https://hub.docker.com/_/{name["library/".Length..]}/tags"
                : $"https://hub.docker.com/r/{name}/tags",
            "ghcr.io" => GitHub(name),
            "quay.io" => $"https://quay.io/repository/{name}?tab=tags",
            "mcr.microsoft.com" => $"https://mcr.microsoft.com/artifact/mar/{name}/tags",
            GitLab => $"https://gitlab.com/{string.Join('/', name.Split('/').Take(2))}/container_registry",
            "public.ecr.aws" => $"https://gallery.ecr.aws/{name}",
            _ when host.EndsWith(".azurecr.io", StringComparison.Ordinal) =>
                "https://portal.azure.com/#view/Microsoft_Azure_ContainerRegistries/TagsBlade/registry/"
                    + $"{host}/repository/{Uri.EscapeDataString(name)}",
            _ when host.EndsWith(".pkg.dev", StringComparison.Ordinal) || host.EndsWith("gcr.io", StringComparison.Ordinal) =>
                $"https://{host}/{name}",
            _ when Amazon(host) is var (account, region) =>
                $"https://{region}.console.aws.amazon.com/ecr/repositories/private/{account}/{name}?region={region}",
            _ when host.StartsWith("registry.", StringComparison.Ordinal) && host.Contains("gitlab", StringComparison.Ordinal) =>
                $"https://{host["registry.".Length..]}/{string.Join('/', name.Split('/').Take(2))}/container_registry",
            _ when host.Contains("harbor", StringComparison.Ordinal) => Harbor(repository),
            _ => null,
        };
        return url is null ? null : new Uri(url);
    }

    // A package's page is below its owner's repository only if both have one name; below the owner it is always found.
    private static string GitHub(string name)
    {
        var parts = name.Split('/', 2);
        return parts.Length == 2
            ? $"https://github.com/{parts[0]}?tab=packages&q={Uri.EscapeDataString(parts[1])}"
            : $"https://github.com/{parts[0]}?tab=packages";
    }

    private static string Harbor(Repository repository)
    {
        var parts = repository.Name.Split('/', 2);
        return parts.Length == 2
            ? $"https://{repository.Registry.Host}/harbor/projects?q={parts[0]}#{Uri.EscapeDataString(parts[1])}"
            : $"https://{repository.Registry.Host}/harbor/projects";
    }

    private static (string Account, string Region)? Amazon(string host) =>
        host.Split('.') is [var account, "dkr", "ecr", var region, "amazonaws", ..] ? (account, region) : null;
}
