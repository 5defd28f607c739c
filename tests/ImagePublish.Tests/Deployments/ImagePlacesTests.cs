using System.Diagnostics;
using ImagePublish.Deployments;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Tests.Deployments;

/// <summary>Where YAML files name an image, and what of them changes. <c>NEW</c> stands for the new digest.</summary>
public sealed class ImagePlacesTests
{
    private const string Name = "ghcr.io/acme/shop";

    private static readonly string New = "sha256:" + new string('a', 64);
    private static readonly string Old = "sha256:" + new string('b', 64);

    [Theory]
    // Kubernetes: every kind of container, custom resources, image volumes.
    [InlineData("image: ghcr.io/acme/shop:1.0\n", "image: ghcr.io/acme/shop:1.4.2@NEW\n")]
    [InlineData("image: ghcr.io/acme/shop\n", "image: ghcr.io/acme/shop@NEW\n")]
    [InlineData("image: ghcr.io/acme/shop@OLD\n", "image: ghcr.io/acme/shop@NEW\n")]
    [InlineData("image: ghcr.io/acme/shop:latest@OLD # keep\n", "image: ghcr.io/acme/shop:latest@NEW # keep\n")]
    [InlineData("- image: 'ghcr.io/acme/shop:1.0'\n", "- image: 'ghcr.io/acme/shop:1.4.2@NEW'\n")]
    [InlineData("{image: \"ghcr.io/acme/shop:1.0\", x: [1]}\n", "{image: \"ghcr.io/acme/shop:1.4.2@NEW\", x: [1]}\n")]
    [InlineData("image: >-\n  ghcr.io/acme/shop:1.0\nx: 1\n", "image: >-\n  ghcr.io/acme/shop:1.4.2@NEW\nx: 1\n")]
    [InlineData("image: !!str ghcr.io/acme/shop:1.0\n", "image: !!str ghcr.io/acme/shop:1.4.2@NEW\n")]
    [InlineData("webImage: ghcr.io/acme/shop:1.0\n", "webImage: ghcr.io/acme/shop:1.4.2@NEW\n")]
    [InlineData("image:\n  reference: ghcr.io/acme/shop:1.0\n", "image:\n  reference: ghcr.io/acme/shop:1.4.2@NEW\n")]
    [InlineData(
        "kind: CronJob\nspec:\n  jobTemplate:\n    spec:\n      template:\n        spec:\n          initContainers:\n          - image: ghcr.io/acme/shop:1.0\n"
            + "          containers:\n          - {name: a, image: ghcr.io/acme/shop:1.0}\n          - image: ghcr.io/acme/other:1.0\n",
        "kind: CronJob\nspec:\n  jobTemplate:\n    spec:\n      template:\n        spec:\n          initContainers:\n          - image: ghcr.io/acme/shop:1.4.2@NEW\n"
            + "          containers:\n          - {name: a, image: ghcr.io/acme/shop:1.4.2@NEW}\n          - image: ghcr.io/acme/other:1.0\n"
    )]
    [InlineData(
        "a: 1\n---\nimage: ghcr.io/acme/shop:1.0\n---\nb: 2\n...\n",
        "a: 1\n---\nimage: ghcr.io/acme/shop:1.4.2@NEW\n---\nb: 2\n...\n"
    )]
    [InlineData("é: 😀\r\nimage: ghcr.io/acme/shop:1.0\r\n# end\r\n", "é: 😀\r\nimage: ghcr.io/acme/shop:1.4.2@NEW\r\n# end\r\n")]
    // compose, with an anchor that only images use.
    [InlineData(
        "x-image: &shop ghcr.io/acme/shop:1.0\nservices:\n  web:\n    image: *shop\n  job:\n    image: *shop\n",
        "x-image: &shop ghcr.io/acme/shop:1.4.2@NEW\nservices:\n  web:\n    image: *shop\n  job:\n    image: *shop\n"
    )]
    [InlineData(
        "x: &web\n  image: ghcr.io/acme/shop:1.0\nservices:\n  web:\n    <<: *web\n",
        "x: &web\n  image: ghcr.io/acme/shop:1.4.2@NEW\nservices:\n  web:\n    <<: *web\n"
    )]
    // Values of Helm.
    [InlineData(
        "image:\n  repository: ghcr.io/acme/shop\n  tag: \"\"\n",
        "image:\n  repository: ghcr.io/acme/shop\n  tag: \"1.4.2@NEW\"\n"
    )]
    [InlineData(
        "image:\n  repository: ghcr.io/acme/shop\n  tag:   # v\n",
        "image:\n  repository: ghcr.io/acme/shop\n  tag: 1.4.2@NEW   # v\n"
    )]
    [InlineData("image:\n  repository: ghcr.io/acme/shop\n  tag: 1.0@OLD\n", "image:\n  repository: ghcr.io/acme/shop\n  tag: 1.4.2@NEW\n")]
    [InlineData("image:\n  repository: ghcr.io/acme/shop # r\n", "image:\n  repository: ghcr.io/acme/shop # r\n  tag: 1.4.2@NEW\n")]
    [InlineData(
        "web:\n  image:\n    registry: ghcr.io\n    repository: acme/shop\n    tag: 1.0\n    digest: \"\"\n    pullPolicy: Always\n",
        "web:\n  image:\n    registry: ghcr.io\n    repository: acme/shop\n    tag: 1.4.2\n    digest: \"NEW\"\n    pullPolicy: Always\n"
    )]
    [InlineData(
        "global:\n  imageRegistry: ghcr.io\nweb: {repository: acme/shop, digest: OLD}\n",
        "global:\n  imageRegistry: ghcr.io\nweb: {repository: acme/shop, digest: NEW}\n"
    )]
    // kustomize, Flux and Argo CD.
    [InlineData(
        "images:\n- name: ghcr.io/acme/shop\n  newTag: \"1.0\"\n- name: x\n",
        "images:\n- name: ghcr.io/acme/shop\n  newTag: \"1.4.2\"\n  digest: NEW\n- name: x\n"
    )]
    [InlineData(
        "images:\r\n  - name: shop\r\n    newName: ghcr.io/acme/shop\r\n    digest: OLD\r\n",
        "images:\r\n  - name: shop\r\n    newName: ghcr.io/acme/shop\r\n    digest: NEW\r\n"
    )]
    [InlineData("images: [{name: ghcr.io/acme/shop}]", "images: [{name: ghcr.io/acme/shop, digest: NEW}]")]
    [InlineData("images:\r\n- name: ghcr.io/acme/shop", "images:\r\n- name: ghcr.io/acme/shop\r\n  digest: NEW")]
    [InlineData(
        "images:\n- newTag: 1.4.2\n  name: ghcr.io/acme/shop",
        "images:\n- newTag: 1.4.2\n  digest: NEW\n  name: ghcr.io/acme/shop"
    )]
    [InlineData(
        "kustomize:\n  images:\n  - shop=ghcr.io/acme/shop:1.0\n  - ghcr.io/acme/shop:1.0\n",
        "kustomize:\n  images:\n  - shop=ghcr.io/acme/shop:1.4.2@NEW\n  - ghcr.io/acme/shop:1.4.2@NEW\n"
    )]
    public void OnlyWhatNamesTheImageChanges(string before, string after)
    {
        var (text, places) = Update(before);

        Assert.Equal(after.Replace("NEW", New, StringComparison.Ordinal), text);
        Assert.True(places > 0);
        Assert.Equal(text, Update(text).Text);
    }

    [Theory]
    [InlineData("image: ghcr.io/acme/shopping:1.0\n")]
    [InlineData("image: acme/shop:1.0\n")]
    [InlineData("image: ghcr.io:443/acme/shop:1.0\n")]
    [InlineData("image: ${REGISTRY:-ghcr.io}/acme/shop:1.0\n")]
    [InlineData("image: \"{{ .Values.image }} ghcr.io/acme/shop\"\n")]
    [InlineData("# image: ghcr.io/acme/shop:1.0\nx: 1\n")]
    [InlineData("data:\n  app.yaml: |\n    image: ghcr.io/acme/shop:1.0\n")]
    [InlineData("image:\n  registry: quay.io\n  repository: acme/shop\n  tag: 1.0\n")]
    [InlineData("images:\n- name: ghcr.io/acme/shop\n  newName: quay.io/acme/shop\n  newTag: 1.0\n")]
    [InlineData("")]
    public void WhatNamesOtherImagesStays(string text) => Assert.Equal((text, 0), Update(text));

    [Theory]
    [InlineData("1.0", "newTag: \"1.10\"")]
    [InlineData("'1.0'", "newTag: '1.10'")]
    [InlineData("1.10", "newTag: 1.10")]
    public void ATagThatYamlTakesForANumberIsQuoted(string before, string after)
    {
        var (text, _) = Update($"images:\n- name: {Name}\n  newTag: {before}\n", "1.10");

        Assert.Equal($"images:\n- name: {Name}\n  {after}\n  digest: {New}\n", text);
    }

    [Fact]
    public void ATagThatTheImageDoesNotHaveGoes() => Assert.Equal($"image: {Name}@{New}\n", Update($"image: {Name}:1.0\n", tags: []).Text);

    [Theory]
    [InlineData(
        "image: &shop ghcr.io/acme/shop:1.0\nversion: *shop\n",
        "line 1: the image has an anchor, which is used for something else"
    )]
    [InlineData("a: 1\nimage: {repository: ghcr.io/acme/shop, tag: &t 1.0}\nv: *t\n", "line 2: the image has an anchor")]
    [InlineData("t: &t 1.0\nimage: {repository: ghcr.io/acme/shop, tag: *t}\n", "line 2: the image has no text as its 'tag', but an alias")]
    [InlineData("image: \"ghcr.io/acme/\\x73hop:1.0\"\n", "line 1: the image is written with escapes")]
    public void WhatWouldChangeSomethingElseIsRefused(string text, string why)
    {
        var exception = Assert.Throws<ImagePublishException>(() => Update(text));

        Assert.Equal("IMG3124", exception.Code.Id);
        Assert.StartsWith(why, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AChartWithoutADigestNeedsATag()
    {
        var exception = Assert.Throws<ImagePublishException>(() => Update($"image:\n  repository: {Name}\n  tag: 1.0\n", tags: []));

        Assert.Equal("IMG3124", exception.Code.Id);
    }

    [Theory]
    [InlineData("image: ghcr.io/acme/shop\n\tx: 1\n")]
    [InlineData("{{- if .Values.on }}\nimage: ghcr.io/acme/shop\n{{- end }}\n")]
    [InlineData("image: *missing\n")]
    [InlineData("a: &a [*a]\n")]
    [InlineData("image: ghcr.io/acme/shop: 1\n")]
    public void WhatIsNotYamlIsRefused(string text)
    {
        var exception = Assert.Throws<ImagePublishException>(() => Update(text));

        Assert.Equal("IMG3120", exception.Code.Id);
        Assert.Matches(@"\Aline \d+, column \d+: [^\n]+\z", exception.Message);
    }

    [Fact]
    public void HostileNestingEndsSoon()
    {
        var clock = Stopwatch.StartNew();
        foreach (var text in (string[])[new string('[', 300_000), string.Concat(Enumerable.Repeat("- ", 100_000)) + "x"])
            Assert.Equal("IMG3120", Assert.Throws<ImagePublishException>(() => Update(text)).Code.Id);

        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(10), $"It took {clock.Elapsed}.");
    }

    [Fact]
    public void AliasesOfAliasesAreNotMultiplied()
    {
        var lines = Enumerable.Range(1, 60).Select(level => $"l{level}: &l{level} [*l{level - 1}, *l{level - 1}, *l{level - 1}]\n");

        var (text, places) = Update($"l0: &l0 {{image: {Name}}}\n{string.Concat(lines)}");

        Assert.Contains(New, text, StringComparison.Ordinal);
        Assert.Equal(1, places);
    }

    private static (string Text, int Places) Update(string text) => Update(text, ["1.4.2", "latest"]);

    private static (string Text, int Places) Update(string text, params string[] tags) =>
        ImagePlaces.Update(
            text.Replace("OLD", Old, StringComparison.Ordinal),
            new DeployedImage([Reference.Parse(Name).Repository], [.. tags.Select(Tag.Parse)], Digest.Parse(New))
        );
}
