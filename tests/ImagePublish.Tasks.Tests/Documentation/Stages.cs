namespace ImagePublish.Tasks.Tests.Documentation;

/// <summary>The stage of each page that needs one.</summary>
public static class Stages
{
    private const string SignIn =
        $"echo {CiSystem.Password} | docker login -u {CiSystem.UserName} --password-stdin acme.azurecr.io >/dev/null 2>&1";

    public static Stage Of(string page) =>
        page switch
        {
            "README.md" => Readme,
            "docs/tour.md" => Tour,
            "docs/recipes.md" => Recipes,
            "docs/migrating.md" => new()
            {
                Variables = Map(("GITHUB_EVENT_NAME", "schedule"), ("GITHUB_REF_NAME", "main")),
                Before = Map(("<ImageBase>x</ImageBase>", "dotnet restore; mkdir certs; touch certs/ca.pem")),
                NotTyped = Map(
                    (
                        "dotnet msbuild -t:CheckImageMigration",
                        "the pages' mcr.microsoft.com has another name; CheckImageMigrationTests types it, DockerfileMigrationTests has the table"
                    )
                ),
            },
            "docs/trust.md" => new()
            {
                NotTyped = Map(
                    ("<PropertyGroup>", "the base of these tests is not signed: PublishOnSignedBaseTests has one that is"),
                    ("<ItemGroup>", "nobody signed the images of these tests: PublishOnSignedBaseTests takes files of one that is not"),
                    ("{", "PolicyFileTests reads such policies"),
                    (
                        "{ \"version\": 1, \"method\": \"publicKey\", \"key\": \"production\" }",
                        "SignerProgramTests has a program that is asked so"
                    ),
                    (
                        "{ \"version\": 1, \"method\": \"sign\", \"key\": \"production\", \"algorithm\": \"ECDSA-SHA256\", "
                            + "\"digest\": \"…\", \"message\": \"…\" }",
                        "SignerProgramTests has a program that is asked so"
                    ),
                    (
                        "The base image mcr.microsoft.com/dotnet/aspnet:10.0 is signed by Microsoft SCD Products RSA Signing (Notation).",
                        "Microsoft's signatures are out of reach; ForeignSignatureTests has one of the same form"
                    ),
                    (
                        "dotnet msbuild -t:PullImage -p:ImageSource=mcr.microsoft.com/dotnet/aspnet:10.0 -p:ImageBaseTrust=Microsoft",
                        "Microsoft's signatures are out of reach"
                    ),
                    (
                        "dotnet msbuild -t:VerifyImage -p:ImageSource=ghcr.io/acme/shop:1.0 -p:ImageBaseTrust=cosign.pub",
                        "PublishOnSignedBaseTests types it, and looks at the table"
                    ),
                    (
                        "registry.example.com/acme/shop@sha256:2e4aeac1625cb975630ca3eb9e09372f6d9d79ac3bf8ebf397bc25ccd994802b is signed "
                            + "(ECDSA P-256, Both).",
                        "SignedImageTests looks at the line"
                    ),
                    (
                        "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes256 -out signing.key",
                        "it asks for a password; SignedImageTests makes such keys"
                    ),
                    (
                        "dotnet msbuild -t:VerifyImage -p:ImageSource=registry.example.com/acme/shop:1.0 -p:ImageBaseTrust=signing.pub",
                        "SignedImageTests types it"
                    ),
                    (
                        "dotnet msbuild -t:VerifyImage -p:ImageSource=ghcr.io/acme/shop:1.0 -p:ImageBaseTrust=cosign.pub "
                            + "\"-p:ImageRequiredAttestations=sbom source=https://github.com/acme/shop\"",
                        "KeylessImageTests types such a command, and looks at the table"
                    ),
                    (
                        "cosign verify --certificate-identity https://github.com/acme/shop/.github/workflows/ci.yml@refs/heads/main "
                            + "--certificate-oidc-issuer https://token.actions.githubusercontent.com ghcr.io/acme/shop:1.0",
                        "cosign is in no package source that the tests reach; KeylessImageTests asks sigstore's own library"
                    ),
                    (
                        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout signing.key -out signing.crt -days 365 "
                            + "-subj \"/C=US/ST=WA/O=Acme/CN=Image signing\" -addext basicConstraints=critical,CA:FALSE "
                            + "-addext keyUsage=critical,digitalSignature -addext extendedKeyUsage=codeSigning",
                        "NotationImageTests makes such certificates, and publishes with them"
                    ),
                    ("notation cert add --type ca --store acme signing.crt", "notation is in no package source that the tests reach"),
                    (
                        "dotnet msbuild -t:VerifyImage -p:ImageSource=ghcr.io/acme/shop:1.0 -p:ImageBaseTrust=signing.crt",
                        "NotationImageTests types it, and looks at the table"
                    ),
                    ("apiVersion: config.ratify.deislabs.io/v1beta1", "no cluster runs in the tests"),
                    (
                        "cosign verify --key signing.pub --insecure-ignore-tlog=true registry.example.com/acme/shop:1.0",
                        "cosign is in no package source that the tests reach"
                    )
                ),
            },
            "docs/troubleshooting.md" => new()
            {
                // The patterns of the page find something.
                Before = Map(("<ImageInput Include=\"../frontend\" />", "mkdir deploy; echo 'image: shop' > deploy/shop.yaml")),
            },
            "docs/guard-rails.md" => new()
            {
                NotTyped = Map(
                    (
                        "101.5 MB of files for other platforms left out (ImageKeepOtherPlatforms=true keeps them)",
                        "GuardRailsTests looks at the line"
                    )
                ),
            },
            "docs/supply-chain.md" => new()
            {
                NotTyped = Map(
                    ("<PropertyGroup>", "there is no identity token here: KeylessImageTests sets the same properties"),
                    ("permissions: { contents: read, packages: write, id-token: write }", "only GitHub gives such a token"),
                    (
                        "dotnet msbuild -t:VerifyImage -p:ImageSource=ghcr.io/acme/shop:1.0 -p:ImageBaseTrust=identities.json "
                            + "\"-p:ImageRequiredAttestations=sbom source=https://github.com/acme/shop\"",
                        "KeylessImageTests types such a command"
                    ),
                    ("apiVersion: kyverno.io/v1", "no cluster runs in the tests"),
                    ("apiVersion: policy.sigstore.dev/v1beta1", "no cluster runs in the tests"),
                    ("apiVersion: config.ratify.deislabs.io/v1beta1", "no cluster runs in the tests")
                ),
            },
            "docs/packages.md" => new()
            {
                NotTyped = Map(
                    (
                        "warning IMG6011: 'libSkiaSharp.so' needs libfontconfig.so.1, which the image does not have. Add it: "
                            + "<ImagePackage Include=\"libfontconfig1\" />.",
                        "DrawingTests compares it"
                    )
                ),
            },
            "docs/sbom.md" => new() { NotTyped = Map(("{", "SbomTests reads such documents")) },
            "docs/aspire.md" => new()
            {
                NotTyped = Map(
                    ("var builder = DistributedApplication.CreateBuilder(args);", "AppHostTests publishes the sample, which says the same"),
                    ("aspire publish -o out", "AppHostTests runs the second one"),
                    ("services:", "AppHostTests looks at the file"),
                    ("builder.UseImagePublish(options =>", "AppHostTests sets options")
                ),
            },
            "samples/Aspire/README.md" => new()
            {
                NotTyped = Map(("cd samples/Aspire/AppHost", "AppHostTests publishes it, with packages in the place of projects")),
            },
            "docs/performance.md" => new()
            {
                NotTyped = Map(
                    (
                        "dotnet run -c Release --project tests/ImagePublish.Benchmarks -- [--cases unchanged,line,…] [--registry "
                            + "plain|h2|slow] [--app shop|small] [--runs 5]",
                        "it takes an hour, and a machine that does nothing else"
                    )
                ),
            },
            "samples/Services/README.md" => new()
            {
                NotTyped = Map(
                    (
                        "dotnet publish samples/Services -p:PublishImage=true -p:ImageLoad=docker",
                        "Debian's Docker has no compose: SamplesTests types it, and starts what compose.yaml names"
                    )
                ),
            },
            "docs/rebase.md" => new()
            {
                Before = Map(
                    (
                        "dotnet msbuild -t:CheckImages -p:ImageSource=ghcr.io/acme/shop:1.0",
                        "dotnet publish -p:PublishImage=true -p:ImageRegistry=ghcr.io -p:ImageRepository=acme/shop -p:ImageTags=1.0"
                    ),
                    ("dotnet msbuild -t:RebaseImage -p:ImageSourceFile=images.txt", "echo ghcr.io/acme/shop:1.0 > images.txt")
                ),
                NotTyped = Map(
                    (
                        "IMAGE                  BASE                                  STATE   RUNTIME  PACKAGES  UNTIL",
                        "RebasedImageTests looks at such a table"
                    ),
                    ("Rebased ghcr.io/acme/shop:1.0 onto mcr.microsoft.com/dotnet/aspnet:10.0: 1.0", "RebasedImageTests looks at it"),
                    ("dotnet msbuild Shop.slnx -t:CheckImages", "RebasedImageTests types it")
                ),
            },
            "docs/page.md" => new()
            {
                Before = Map(
                    (
                        "dotnet msbuild -t:WriteImagePage -p:ImagePage=page.html -p:ImageSource=ghcr.io/acme/shop",
                        "dotnet publish -p:PublishImage=true -p:ImageRegistry=ghcr.io -p:ImageRepository=acme/shop -p:ImageTags=1.0"
                    )
                ),
                NotTyped = Map(("ghcr.io/acme/shop: 12 tags, 11 images", "RepositoryPageCommandTests looks at such lines")),
            },
            "docs/reproduce.md" => new()
            {
                Before = Map(
                    (
                        "dotnet msbuild -restore -t:ReproduceImage -p:ImageSource=ghcr.io/acme/shop:1.0",
                        "dotnet publish -p:PublishImage=true -p:ImageRegistry=ghcr.io -p:ImageRepository=acme/shop -p:ImageTags=1.0"
                    )
                ),
                NotTyped = Map(
                    ("Reproduced ghcr.io/acme/shop:1.0: the same digest", "ReproducedImageTests looks at such lines"),
                    (
                        "Not reproduced: its version is 3.0.0, and this build's 1.0.0. Pass the same -p:Version=… as its publish did.",
                        "CauseTests looks at such lines"
                    )
                ),
            },
            "docs/variants.md" => new()
            {
                NotTyped = Map(
                    (
                        "dotnet publish -p:PublishImage=true -p:ImageRegistry=ghcr.io -p:ImageRepository=acme/shop -p:ImageTags=1.0",
                        "VariantsTests publishes such projects"
                    ),
                    ("<ItemGroup>", "VariantsTests publishes such projects; Docker Hub is out of reach"),
                    (
                        "<ImageFile Include=\"tools/**\" TargetPath=\"/usr/local/bin/\" Variant=\"debug\" />",
                        "VariantsTests has such a file"
                    ),
                    (
                        "dotnet tool install dotnet-counters --tool-path tools",
                        "a tool of this machine's source, which the page has no version of"
                    ),
                    (
                        "docker run --rm -it --pid=container:shop --entrypoint sh ghcr.io/acme/shop:1.0-debug -c \"TMPDIR=/proc/1/root/tmp "
                            + "dotnet-counters monitor -p 1\"",
                        "it runs until somebody stops it"
                    ),
                    ("<PropertyGroup>", "a bundle takes half a minute, and there is no database here; VariantsTests has a companion"),
                    ("initContainers:", "no Kubernetes runs here")
                ),
            },
            "docs/traces.md" => new()
            {
                NotTyped = Map(
                    ("export OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318", "TracedPublishTests publishes to a collector"),
                    ("sign in early 253 ms", "TracedPublishTests and SpansTests look at the spans"),
                    (
                        "docker run --rm -d -p 18888:18888 -p 4318:18890 -e ASPIRE_DASHBOARD_UNSECURED_ALLOW_ANONYMOUS=true "
                            + "mcr.microsoft.com/dotnet/aspire-dashboard   # http://localhost:18888/traces",
                        "the images of collectors are out of reach"
                    ),
                    ("receivers:", "no collector of OpenTelemetry runs here"),
                    ("export TRACEPARENT=00-$(openssl rand -hex 16)-$(openssl rand -hex 8)-01", "TracedPublishTests sets such a variable"),
                    ("env:", "TracedPublishTests sets such variables")
                ),
            },
            "docs/architecture.md" => new()
            {
                NotTyped = Map(("csproj properties, items          registry: base, cached layers", "a drawing")),
            },
            _ => new(),
        };

    private static Stage Readme =>
        new()
        {
            Project = "",
            Folder = "",
            Before = Map(
                (
                    "dotnet publish Shop.slnx -p:PublishImage=true",
                    "echo '<Solution><Project Path=\"Shop.csproj\" /></Solution>' > Shop.slnx"
                ),
                ("dotnet publish -p:PublishImage=true -getProperty:ImageReference", "rm Shop.slnx"),
                (
                    "dotnet msbuild -t:ListImages -p:ImageFilter=\"acme/*\"                                                  # the "
                        + "local store",
                    $"""
                    echo secret > password.txt
                    {SignIn}
                    dotnet publish -p:PublishImage=true -p:ImageRegistry= -p:ImageTags=1.0.0
                    """
                ),
                ("- uses: actions/setup-dotnet@v5", "cd ..\nmkdir src\nmv Shop src/Shop"),
                ("dotnet publish -p:PublishImage=true -p:ImageRuntimeIdentifiers=\"linux-x64 linux-arm64\"", "cd src/Shop")
            ),
            NotTyped = Map(
                ("dotnet publish samples/HelloWeb -p:PublishImage=true", "SamplesTests types it in a fresh clone"),
                ("dotnet pack src/ImagePublish.Tasks -o ~/feed", "SamplesTests types it in a fresh clone"),
                ("tests/run.sh", "it is what runs this test")
            ),
        };

    private static Stage Tour =>
        new()
        {
            Project = "TweetApp",
            Folder = "TweetApp",
            Before = Map(
                (
                    "dotnet msbuild -t:LoginImageRegistry -p:ImageRegistry=ghcr.io -p:ImageRegistryUsername=me < password.txt",
                    $"echo secret > password.txt; {SignIn}"
                ),
                ("dotnet build -t:PlanImage -c Release -p:ImageName=ghcr.io/sixeyed/tweet-app:v2", "sed -i 's/v1/v2/' Program.cs"),
                (
                    "Changed against ghcr.io/sixeyed/tweet-app:latest (sha256:4be2391f1c0d):",
                    """
                    dotnet msbuild -t:TagImage -p:ImageSource=ghcr.io/sixeyed/tweet-app:v1 -p:ImageTags=latest
                    echo 'static class Feature { public static bool IsOn => Environment.GetEnvironmentVariable("FEATURE") == "on"; }' >> Program.cs
                    sed -i 's|<ItemGroup>|&<ImageEnvironmentVariable Include="FEATURE" Value="on" />|' TweetApp.csproj
                    dotnet build -t:PlanImage -c Release -p:ImageName=ghcr.io/sixeyed/tweet-app:latest
                    """
                )
            ),
            NotTyped = Map(
                (
                    "Shop net10.0                                     _DeliverPlatformImage (8.8s)",
                    "PublishProgressTests looks at such rows, of a publish to a slow registry"
                ),
                ("Shop: 26.1 of 64.1 MB moved (40 %), 5.2 MB/s, 8 s left", "PublishProgressTests looks for such lines")
            ),
        };

    private static Stage Recipes =>
        new()
        {
            Project = "src/Shop",
            Folder = "",
            Before = Map(
                (
                    "dotnet publish -p:PublishImage=true -p:ImageRegistry=\"ghcr.io acme.azurecr.io\" -p:ImageRepository=acme/shop",
                    $"cd src/Shop\n{SignIn}"
                ),
                (
                    "image=$(dotnet publish src/Shop -p:PublishImage=true -p:ImageRegistry=ghcr.io -p:ImageRepository=acme/shop "
                        + "-getProperty:ImageReference)",
                    "cd ../.."
                ),
                (
                    "dotnet publish src/Shop -p:PublishImage=true -p:ImageRegistry=ghcr.io -p:ImageRepository=acme/shop "
                        + "-p:ImageRevision=Inputs -p:ImageTags=\"main-{date:yyyyMMddHHmmss}-{content}\"",
                    "printf 'bin\\nobj\\n' > .gitignore; git init -q; git add src .gitignore; "
                        + "git -c user.name=me -c user.email=me@example.com commit -qm first"
                ),
                ("<Target Name=\"TagNightly\" BeforeTargets=\"BeforePublishImage\">", "cd src/Shop")
            ),
            NotTyped = Map(
                ("dotnet new install ImagePublish.Templates", "TemplatesTests installs, creates and publishes so"),
                (
                    "sudo dotnet publish src/Shop -p:PublishImage=true -p:ImageTags=dev -p:ImageLoad=containerd:k8s.io",
                    "LocalClusterTests publishes so; no Kubernetes runs here"
                ),
                ("dotnet publish Services.slnx -p:PublishImage=true -p:ImageLoad=docker", "SamplesTests types it"),
                ("jobs:", "SummaryTests publishes a solution and reads the output; no second job runs here"),
                ("<PropertyGroup>", "PublishedRevisionTests publishes a repository with this file"),
                ("dotnet msbuild Shop.slnx -t:ListAffectedImages -p:ImageAffectedSince=origin/main", "PublishedRevisionTests types it"),
                ("<ImageInput Include=\"$(MSBuildProjectDirectory)\" />", "FindImageRevisionTests names inputs so"),
                ("IMAGE_BASE_REGISTRY=mirror.example.com/mcr", "OtherImagesTests sets it"),
                (
                    "<ContainerBaseImage>mcr.microsoft.com/dotnet/aspnet:10.0@sha256:…</ContainerBaseImage>",
                    "OtherImagesTests publishes such a project"
                ),
                ("FROM mcr.microsoft.com/dotnet/aspnet:10.0@sha256:…", "OtherImagesTests publishes such a project"),
                (
                    "<ContainerBaseImage>$([System.IO.File]::ReadAllText('$(MSBuildProjectDirectory)/base/Dockerfile').Replace('FROM ', '')"
                        + ".Trim())</ContainerBaseImage>",
                    "OtherImagesTests publishes such a project"
                ),
                ("# .github/dependabot.yml", "it is Dependabot's"),
                ("# .github/workflows/rebase.yml", "RebasedImageTests rebases images of a file"),
                ("#:package ImagePublish.Tasks@1.0.0", "ProjectsTests publishes such a file"),
                ("dotnet publish hello.cs -p:PublishImage=true -p:ImageRegistry=ghcr.io", "ProjectsTests publishes such a file"),
                ("permissions: { contents: read, id-token: write }", "AzureIdentityTests and its siblings sign in so"),
                ("steps:", "AzureIdentityTests signs in so"),
                (
                    "<ImageManifest Include=\"../../deploy/**/*.yaml\" Exclude=\"../../deploy/**/templates/**\" />",
                    "ImageManifestTests publishes such projects"
                ),
                (
                    "dotnet publish src/Shop -p:PublishImage=true -p:ImageRegistry=ghcr.io -p:ImageRepository=acme/shop",
                    "ImageManifestTests publishes so, and looks at the line"
                ),
                (
                    "dotnet publish src/Shop -p:PublishImage=true -p:ImageRegistry=ghcr.io -p:ImageRepository=acme/shop "
                        + "-p:ImageManifestFolder=$PWD/out/",
                    "ImageManifestTests publishes into a folder; no Kubernetes runs here"
                ),
                (
                    "- run: dotnet publish src/Shop -p:PublishImage=true -p:ImageRegistry=ghcr.io -p:ImageRepository=acme/shop "
                        + "-p:ContinuousIntegrationBuild=true",
                    "ImageManifestTests publishes so; nothing is committed here"
                ),
                (
                    "<ImageHealthcheck Include=\"/health\" Http=\"true\" Interval=\"30s\" Timeout=\"5s\" />",
                    "HttpProbeProgramTests has such images"
                ),
                ("amazon:", "AmazonIdentityTests and GoogleIdentityTests sign in so")
            ),
        };

    private static Dictionary<string, string> Map(params (string Name, string Value)[] entries) =>
        entries.ToDictionary(entry => entry.Name, entry => entry.Value);
}
