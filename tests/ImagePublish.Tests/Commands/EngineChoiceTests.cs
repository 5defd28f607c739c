using ImagePublish.Commands;
using ImagePublish.Engines;
using ImagePublish.Images;
using ImagePublish.Reporting;

namespace ImagePublish.Tests.Commands;

/// <summary>What ImageLoad may say, and what to type with an image that was loaded so.</summary>
public sealed class EngineChoiceTests
{
    private static readonly Dictionary<string, string> Variables = new()
    {
        ["CONTAINERD_NAMESPACE"] = "of-the-variable",
        ["KIND_CLUSTER_NAME"] = "kind-of-the-variable",
    };

    [Theory]
    [InlineData("docker", "docker", null)]
    [InlineData(" Podman ", "podman", null)]
    [InlineData("true", "auto", null)]
    [InlineData("containerd", "containerd", null)]
    [InlineData("containerd:k8s.io", "containerd", "k8s.io")]
    [InlineData("Nerdctl:Team_1", "nerdctl", "Team_1")]
    [InlineData("kind:dev-2", "kind", "dev-2")]
    public void AnEngineAndWhereInItAreRead(string text, string program, string? scope) =>
        Assert.Equal(new EngineChoice(program, scope), EngineChoice.TryParse(text, Settings([])));

    [Theory]
    [InlineData("containerd", "of-the-variable")]
    [InlineData("nerdctl", "of-the-variable")]
    [InlineData("kind", "kind-of-the-variable")]
    [InlineData("containerd:k8s.io", "k8s.io")]
    [InlineData("docker", null)]
    public void TheVariablesOfTheirClientsCountWhereNothingIsSaid(string text, string? scope) =>
        Assert.Equal(scope, EngineChoice.TryParse(text, Settings(Variables))?.Scope);

    [Theory]
    [InlineData("")]
    [InlineData("wslc")]
    [InlineData("docker:default")]
    [InlineData("containerd:")]
    [InlineData("containerd:--help")]
    [InlineData("containerd:a b")]
    [InlineData("containerd:../k8s.io")]
    [InlineData("kind:a;b")]
    public void AnythingElseIsNone(string text) => Assert.Null(EngineChoice.TryParse(text, Settings([])));

    [Theory]
    [InlineData(null, "docker run --rm -p 8080:8080 acme/shop:1")]
    [InlineData("auto", "docker run --rm -p 8080:8080 acme/shop:1")]
    [InlineData("podman", "podman run --rm -p 8080:8080 acme/shop:1")]
    [InlineData("nerdctl:team", "nerdctl --namespace team run --rm -p 8080:8080 acme/shop:1")]
    [InlineData("containerd", "ctr run --rm --net-host docker.io/acme/shop:1 shop")]
    [InlineData("containerd:team", "ctr --namespace team run --rm --net-host docker.io/acme/shop:1 shop")]
    [InlineData("containerd:k8s.io", "kubectl run shop --image=acme/shop:1 --image-pull-policy=Never --port=8080")]
    [InlineData("nerdctl:k8s.io", "kubectl run shop --image=acme/shop:1 --image-pull-policy=Never --port=8080")]
    [InlineData("kind", "kubectl run shop --image=acme/shop:1 --image-pull-policy=Never --port=8080")]
    public void WhatToTypeNextRunsItWhereItIs(string? load, string command)
    {
        var engine = load is null ? null : EngineChoice.TryParse(load, Settings([]));

        Assert.Equal(command, NextCommands.Run("acme/shop:1", ExposedPort.Read(["8080/tcp"]), engine));
    }

    private static EngineSettings Settings(Dictionary<string, string> variables) =>
        new() { Variable = name => variables.GetValueOrDefault(name), HomeFolder = "/home/ada" };
}
