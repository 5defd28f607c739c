using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using ImagePublish.Oci;
using ImagePublish.Registries.Auth;
using ImagePublish.Registries.Auth.Credentials;

namespace ImagePublish.Tests.Registries.Auth;

/// <summary>A machine of a test's own: a home folder, variables and programs on a PATH.</summary>
internal sealed class TestMachine : IDisposable
{
    private readonly Dictionary<string, string> variables = [];

    public TestMachine()
    {
        Home = Directory.CreateTempSubdirectory("imagepublish-home-").FullName;
        Programs = Directory.CreateDirectory(Path.Combine(Home, "bin")).FullName;
        variables["PATH"] = Programs;
    }

    public static CancellationToken Stop => TestContext.Current.CancellationToken;

    public string Home { get; }

    public string Programs { get; }

    public string DockerConfig => Path.Combine(Home, ".docker", "config.json");

    public string AuthFile => Path.Combine(Home, ".config", "containers", "auth.json");

    public Registry? SoleRegistry { get; init; }

    public Registry? PushRegistry { get; init; }

    public Registry? BaseRegistry { get; init; }

    public IReadOnlyCollection<Registry> Registries { get; init; } = [];

    public TimeSpan HelperTimeout { get; init; } = TimeSpan.FromSeconds(30);

    public CredentialEnvironment Environment =>
        new()
        {
            Variable = variables.GetValueOrDefault,
            VariableNames = () => variables.Keys,
            Registries = Registries,
            HomeFolder = Home,
            SoleRegistry = SoleRegistry,
            PushRegistry = PushRegistry,
            BaseRegistry = BaseRegistry,
            HelperTimeout = HelperTimeout,
        };

    public CredentialStore Store => new(Environment);

    public static string Auth(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    /// <summary>A config file with credentials in it.</summary>
    public static string Auths(params IEnumerable<(string Key, string Text)> entries) =>
        new JsonObject
        {
            ["auths"] = new JsonObject(
                entries.Select(entry => KeyValuePair.Create<string, JsonNode?>(entry.Key, new JsonObject { ["auth"] = Auth(entry.Text) }))
            ),
        }.ToJsonString();

    public TestMachine Set(string name, string value)
    {
        variables[name] = value;
        return this;
    }

    public TestMachine Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return this;
    }

    /// <summary>Puts a credential helper on the PATH: a shell script that finds the command in $1 and its input in $input.</summary>
    public TestMachine Helper(string name, string script)
    {
        var path = Path.Combine(Programs, $"docker-credential-{name}");
        // Written by another process: a program that is open for writing here, or in what another test is just starting, can't be run.
        using var writer = Process.Start(
            new ProcessStartInfo("/bin/sh", ["-c", "cat > \"$0\" && chmod 700 \"$0\"", path]) { RedirectStandardInput = true }
        )!;
        writer.StandardInput.Write($"#!/bin/sh\ninput=$(/bin/cat)\n{script}\n");
        writer.StandardInput.Close();
        writer.WaitForExit();
        return this;
    }

    public async Task<Credential?> FindAsync(string registry = "registry.example.com", string? repository = null) =>
        await new CredentialChain(Environment).FindAsync(Registry.Parse(registry), repository, Stop);

    public void Dispose() => Directory.Delete(Home, recursive: true);
}
