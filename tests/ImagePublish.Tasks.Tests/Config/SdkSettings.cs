namespace ImagePublish.Tasks.Tests.Config;

/// <summary>A setting of the .NET SDK's own container publishing.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">The image that it is tried in: settings that don't disturb each other share one.</param>
/// <param name="Fact">Where it shows, see <see cref="ImageFacts"/>.</param>
/// <param name="Xml">How the project says it; empty where the project says nothing.</param>
public sealed record SdkSetting(string Name, string Kind, string Fact, string Xml)
{
    /// <summary>What our image says where that is meant to differ from the SDK's: docs/migrating.md tells why.</summary>
    public string? Better { get; init; }

    /// <summary>Whether it says what would hold anyway.</summary>
    public bool IsUsual { get; init; }
}

/// <summary>The settings that projects have for the .NET SDK's container publishing, each with the place where it shows.</summary>
public static class SdkSettings
{
    private const string Image = "Labels org.opencontainers.image.";

    public static IReadOnlyList<SdkSetting> All { get; } = [.. General, .. Commands, .. Labels, .. Better];

    private static SdkSetting[] General =>
        [
            new(
                "ContainerRepository and ContainerRegistry",
                "general",
                "tags",
                "<ContainerRepository>compared/$(By)/general</ContainerRepository>"
            ),
            new("ContainerImageTags", "general", "tags", "<ContainerImageTags>7.8;other</ContainerImageTags>"),
            new("ContainerImageTag", "app-command", "tags", "<ContainerImageTag>one</ContainerImageTag>"),
            new("PublishImageTag", "none", "tags", "<PublishImageTag>of-visual-studio</PublishImageTag>"),
            new("ContainerImageName", "none", "tags", "<ContainerImageName>compared/$(By)/none</ContainerImageName>"),
            new(
                "RegistryUrl",
                "default-args",
                "tags",
                "<RegistryUrl>$(ContainerRegistry)</RegistryUrl><ContainerImageTag>x</ContainerImageTag>"
            ),
            new("ContainerBaseImage", "general", "Labels com.example.base", ""),
            new(
                "ContainerRuntimeIdentifier",
                "app-command",
                "architecture",
                "<ContainerRuntimeIdentifier>linux-arm64</ContainerRuntimeIdentifier>"
            ),
            new("ContainerImageFormat Docker", "none", "type", "<ContainerImageFormat>Docker</ContainerImageFormat>"),
            new("ContainerImageFormat OCI", "default-args", "type", "<ContainerImageFormat>OCI</ContainerImageFormat>") { IsUsual = true },
            new("ContainerUser", "general", "User", "<ContainerUser>nobody:staff</ContainerUser>"),
            new("ContainerWorkingDirectory", "general", "WorkingDir", "<ContainerWorkingDirectory>/srv/app/</ContainerWorkingDirectory>"),
            new("ContainerEnvironmentVariable", "general", "Env OWN", """<ContainerEnvironmentVariable Include="OWN" Value="1" />"""),
            new(
                "ContainerEnvironmentVariable, difficult",
                "general",
                "Env DIFFICULT",
                """<ContainerEnvironmentVariable Include="DIFFICULT" Value="{difficult}" />"""
            ),
            new(
                "ContainerEnvironmentVariable of the base",
                "general",
                "Env",
                """<ContainerEnvironmentVariable Include="INHERITED" Value="own" />"""
            ),
            new(
                "ContainerEnvironmentVariable ASPNETCORE_URLS",
                "general",
                "ExposedPorts",
                """<ContainerEnvironmentVariable Include="ASPNETCORE_URLS" Value="http://+:5000%3Bhttps://*:5001" />"""
            ),
            new(
                "ContainerEnvironmentVariable ASPNETCORE_HTTP_PORTS",
                "app-command",
                "ExposedPorts",
                """<ContainerEnvironmentVariable Include="ASPNETCORE_HTTP_PORTS" Value="8081%3B8082" />"""
            ),
            new(
                "ContainerEnvironmentVariable ASPNETCORE_HTTPS_PORTS",
                "default-args",
                "ExposedPorts",
                """<ContainerEnvironmentVariable Include="ASPNETCORE_HTTPS_PORTS" Value="8443" />"""
            ),
            new("ContainerPort udp", "general", "ExposedPorts 9000/udp", """<ContainerPort Include="9000" Type="udp" />"""),
            new("ContainerPort tcp", "general", "ExposedPorts 9001/tcp", """<ContainerPort Include="9001" Type="tcp" />"""),
            new("ContainerPort", "general", "ExposedPorts 9002/tcp", """<ContainerPort Include="9002" />"""),
            new("ContainerLabel", "general", "Labels com.example.own", """<ContainerLabel Include="com.example.own" Value="1" />"""),
            new(
                "ContainerLabel, difficult",
                "general",
                "Labels com.example.difficult",
                """<ContainerLabel Include="com.example.difficult" Value="{difficult}" />"""
            ),
            new(
                "ContainerLabel, empty",
                "general",
                "Labels com.example.empty",
                """<ContainerLabel Include="com.example.empty" Value="" />"""
            ),
            new(
                "ContainerLabel of the base",
                "general",
                "Labels com.example.second",
                """<ContainerLabel Include="com.example.second" Value="own" />"""
            ),
            new(
                "ContainerArchiveOutputPath",
                "archive",
                "tags",
                "<ContainerArchiveOutputPath>$(MSBuildProjectDirectory)/archive-$(By)/</"
                    + "ContainerArchiveOutputPath><ContainerRepository>archived</ContainerRepository><ContainerRegistry></"
                    + "ContainerRegistry><ContainerImageFormat>Docker</ContainerImageFormat>"
            ),
        ];

    private static SdkSetting[] Commands =>
        [
            new("ContainerEntrypoint", "general", "Entrypoint", """<ContainerEntrypoint Include="/usr/bin/env" />"""),
            new("ContainerEntrypointArgs", "general", "Entrypoint", """<ContainerEntrypointArgs Include="A=b c" />"""),
            new("ContainerAppCommandArgs after an entry point", "general", "Cmd", """<ContainerAppCommandArgs Include="--always" />"""),
            new("ContainerDefaultArgs after an entry point", "general", "Cmd", """<ContainerDefaultArgs Include="serve;now" />"""),
            new("ContainerAppCommand", "app-command", "Entrypoint", """<ContainerAppCommand Include="/usr/bin/env;dotnet;App.dll" />"""),
            new(
                "ContainerAppCommandInstruction Entrypoint",
                "app-command",
                "Entrypoint",
                "<ContainerAppCommandInstruction>Entrypoint</ContainerAppCommandInstruction>"
            ),
            new("ContainerAppCommandArgs", "app-command", "Entrypoint", """<ContainerAppCommandArgs Include="--urls=http://+:80" />"""),
            new("ContainerDefaultArgs", "app-command", "Cmd", """<ContainerDefaultArgs Include="a b;c" />"""),
            new(
                "ContainerAppCommandInstruction None",
                "none",
                "Entrypoint",
                "<ContainerAppCommandInstruction>None</ContainerAppCommandInstruction>"
            ),
            new("ContainerDefaultArgs without an app", "none", "Cmd", """<ContainerDefaultArgs Include="only" />"""),
            new(
                "ContainerAppCommandInstruction DefaultArgs",
                "default-args",
                "Cmd",
                "<ContainerAppCommandInstruction>DefaultArgs</ContainerAppCommandInstruction>"
            ),
            new("The base's entry point", "default-args", "Entrypoint", ""),
            new(
                "ContainerAppCommandInstruction None alone",
                "nothing",
                "Entrypoint",
                "<ContainerAppCommandInstruction>None</ContainerAppCommandInstruction>"
            ),
            new("ContainerEntrypointArgs alone", "entrypoint-args", "Cmd", """<ContainerEntrypointArgs Include="serve" />"""),
        ];

    private static SdkSetting[] Labels =>
        [
            new("Version", "general", Image + "version", "<Version>7.8.9</Version>"),
            new("Description", "general", Image + "description", "<Description>Described%3B with = and &quot;quotes&quot;</Description>"),
            new("Authors", "general", Image + "authors", "<Authors>Ann%3BBob</Authors>"),
            new("PackageProjectUrl", "general", Image + "url", "<PackageProjectUrl>https://example.com/project</PackageProjectUrl>"),
            new("PackageProjectUrl as documentation", "general", Image + "documentation", ""),
            new("ContainerVendor", "general", Image + "vendor", "<ContainerVendor>The vendor</ContainerVendor>"),
            new("PackageLicenseExpression", "general", Image + "licenses", "<PackageLicenseExpression>MIT</PackageLicenseExpression>"),
            new("Title", "general", Image + "title", "<Title>The title</Title>"),
            new(
                "PublishRepositoryUrl",
                "general",
                Image + "source",
                "<PublishRepositoryUrl>true</PublishRepositoryUrl><RepositoryType>git</RepositoryType><PrivateRepositoryUrl>https://"
                    + "example.com/acme/shop.git</PrivateRepositoryUrl>"
            ),
            new(
                "SourceRevisionId",
                "general",
                Image + "revision",
                "<SourceRevisionId>0123456789012345678901234567890123456789</SourceRevisionId>"
            ),
            new("The base's name", "general", Image + "base.name", ""),
            new("The framework's version", "general", "Labels net.dot.runtime.majorminor", ""),
            new("ContainerVersion", "app-command", Image + "version", "<ContainerVersion>10</ContainerVersion>"),
            new(
                "ContainerDescription",
                "app-command",
                Image + "description",
                "<ContainerDescription>In a container</ContainerDescription>"
            ),
            new("ContainerAuthors", "app-command", Image + "authors", "<ContainerAuthors>The authors</ContainerAuthors>"),
            new(
                "ContainerInformationUrl",
                "app-command",
                Image + "url",
                "<ContainerInformationUrl>https://example.com/information</ContainerInformationUrl>"
            ),
            new(
                "ContainerDocumentationUrl",
                "app-command",
                Image + "documentation",
                "<ContainerDocumentationUrl>https://example.com/docs</ContainerDocumentationUrl>"
            ),
            new(
                "ContainerLicenseExpression",
                "app-command",
                Image + "licenses",
                "<ContainerLicenseExpression>Apache-2.0</ContainerLicenseExpression>"
            ),
            new("ContainerTitle", "app-command", Image + "title", "<ContainerTitle>Containered</ContainerTitle>"),
            new("ContainerGenerateLabels", "none", "Labels", "<ContainerGenerateLabels>false</ContainerGenerateLabels>"),
            .. Switches.Select(label => new SdkSetting(
                $"ContainerGenerateLabels{label.Name}",
                "default-args",
                label.Fact,
                $"<ContainerGenerateLabels{label.Name}>false</ContainerGenerateLabels{label.Name}>"
            )),
        ];

    private static (string Name, string Fact)[] Switches =>
        [
            ("ImageCreated", Image + "created"),
            ("ImageDescription", Image + "description"),
            ("ImageAuthors", Image + "authors"),
            ("ImageVersion", Image + "version"),
            ("ImageVendor", Image + "vendor"),
            ("ImageLicenses", Image + "licenses"),
            ("ImageTitle", Image + "title"),
            ("ImageUrl", Image + "url"),
            ("ImageDocumentation", Image + "documentation"),
            ("ImageBaseName", Image + "base.name"),
            ("ImageBaseDigest", Image + "base.digest"),
            ("DotnetToolset", "Labels net.dot.runtime.majorminor"),
        ];

    private static SdkSetting[] Better =>
        [
            new("No tags", "plain", "tags", "<ContainerRepository>compared/$(By)/plain</ContainerRepository>") { Better = "1.0.0 latest" },
            new("No working directory", "plain", "WorkingDir", "") { Better = "/app" },
            new("The base's user", "plain", "User", "") { Better = "app" },
            new("The base's health check", "plain", "Healthcheck", "")
            {
                Better = "Interval: 7000000000\nRetries: 2\nTest: CMD-SHELL\ntest -e /etc/passwd",
            },
            new("The base's command", "nothing", "Cmd", "") { Better = "base-command" },
            new("The base's shell", "plain", "Shell", "") { Better = "/bin/sh\n-e\n-c" },
            new("The time of the build", "plain", Image + "created", "")
            {
                Better = "org.opencontainers.image.created: 1970-01-01T00:00:00Z",
            },
            new("The SDK's version", "plain", "Labels net.dot.sdk.version", "") { Better = "" },
            new("A deprecated label", "plain", "Labels org.opencontainers.artifact.created", "") { Better = "" },
            new("Another deprecated label", "general", "Labels org.opencontainers.artifact.description", "") { Better = "" },
        ];
}
