using System.Security.Cryptography;
using System.Text;
using ImagePublish.Engines;

namespace ImagePublish.Tests.Engines;

/// <summary>Docker is found where its own client finds it.</summary>
public sealed class EngineAddressTests : IDisposable
{
    private readonly string home = Directory.CreateTempSubdirectory("imagepublish-engines-").FullName;
    private readonly Dictionary<string, string> variables = [];

    [Theory]
    [InlineData("unix:///run/user/1000/docker.sock", "unix", "/run/user/1000/docker.sock")]
    [InlineData("npipe:////./pipe/docker_engine", "npipe", "docker_engine")]
    [InlineData("tcp://10.0.0.1:2375", "tcp", "10.0.0.1:2375")]
    [InlineData("tcp://build-host", "tcp", "build-host:2375")]
    public void AnAddressIsReadAsDockerHostHasIt(string text, string scheme, string target)
    {
        variables["DOCKER_HOST"] = text;

        Assert.Equal(new DockerAddress(scheme, target), Find());
    }

    [Theory]
    [InlineData("ssh://me@build-host")]
    [InlineData("tcp://host/with/path")]
    [InlineData("nonsense")]
    public void WhatOnlyDockersClientCanReachIsLeftToIt(string text)
    {
        variables["DOCKER_HOST"] = text;

        Assert.Null(Find());
    }

    [Fact]
    public void AContextLeadsToItsHost()
    {
        var folder = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes("rootless")));
        Write("config.json", """{"currentContext":"rootless"}""");
        Write(
            $"contexts/meta/{folder}/meta.json",
            """{"Name":"rootless","Endpoints":{"docker":{"Host":"unix:///run/user/1/docker.sock"}}}"""
        );

        Assert.Equal(new DockerAddress("unix", "/run/user/1/docker.sock"), Find());
        variables["DOCKER_CONTEXT"] = "default";
        Assert.Equal(DockerAddress.Default, Find());
        variables["DOCKER_CONTEXT"] = "unknown";
        Assert.Null(Find());
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{\"currentContext\":5}")]
    public void SettingsThatAreDamagedLeadToTheDefault(string text)
    {
        Write("config.json", text);

        Assert.Equal(DockerAddress.Default, Find());
    }

    public void Dispose() => Directory.Delete(home, recursive: true);

    private DockerAddress? Find() => DockerAddress.Find(new EngineSettings { Variable = variables.GetValueOrDefault, HomeFolder = home });

    private void Write(string name, string text)
    {
        var path = Path.Combine(home, ".docker", name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }
}
