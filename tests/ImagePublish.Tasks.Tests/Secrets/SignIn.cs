using System.Text.Json;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.Secrets;

/// <summary>What a user has set up to be signed in: variables, docker's file, a credential helper.</summary>
internal sealed class SignIn(TestWorkspace workspace)
{
    private const string HelperName = "canary";

    private readonly Dictionary<string, string?> variables = [];
    private readonly Dictionary<string, object> auths = [];
    private readonly Dictionary<string, string> helpers = [];

    /// <summary>The files that hold the secrets by right.</summary>
    public string[] Files => [ConfigFile, HelperProgram, HelperAnswer];

    private string ConfigFile => Path.Combine(workspace.UserData, "docker", "config.json");

    private string HelperProgram => workspace[$"helper/docker-credential-{HelperName}"];

    private string HelperAnswer => workspace["helper/answer.json"];

    public SignIn Variables(string host, string user, string password)
    {
        var suffix = host.Replace(':', '_').Replace('.', '_');
        variables[$"IMAGE_REGISTRY_USERNAME__{suffix}"] = user;
        variables[$"IMAGE_REGISTRY_PASSWORD__{suffix}"] = password;
        return this;
    }

    public SignIn File(string host, string user, string password)
    {
        auths[host] = new { auth = Canary.Base64($"{user}:{password}") };
        return WriteConfig();
    }

    public SignIn Helper(string host, string user, string password)
    {
        helpers[host] = HelperName;
        Write(
            HelperAnswer,
            JsonSerializer.Serialize(
                new
                {
                    ServerURL = host,
                    Username = user,
                    Secret = password,
                }
            )
        );
        Write(HelperProgram, $"#!/bin/sh\ncat >/dev/null\ncat '{HelperAnswer}'\n");
        System.IO.File.SetUnixFileMode(HelperProgram, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return WriteConfig();
    }

    public SignIn CacheSecret(string secret)
    {
        variables["IMAGE_CACHE_KEY"] = secret;
        return this;
    }

    /// <summary>The command, run by this user.</summary>
    public CommandLine Run(CommandLine command)
    {
        var path = $"{Path.GetDirectoryName(HelperProgram)}{Path.PathSeparator}{Environment.GetEnvironmentVariable("PATH")}";
        return command with { Environment = new Dictionary<string, string?>([.. command.Environment, .. variables, new("PATH", path)]) };
    }

    private SignIn WriteConfig()
    {
        Write(ConfigFile, JsonSerializer.Serialize(new { auths, credHelpers = helpers }));
        return this;
    }

    private void Write(string path, string content) => workspace.Write(Path.GetRelativePath(workspace.Path, path), content);
}
