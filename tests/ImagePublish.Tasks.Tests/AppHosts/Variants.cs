namespace ImagePublish.Tasks.Tests.AppHosts;

/// <summary>What other AppHosts than the sample's do, chosen by <c>--variant</c>.</summary>
internal static class Variants
{
    public const string Source = """
        #pragma warning disable ASPIREPIPELINES003, ASPIREDOCKERFILEBUILDER001, ASPIRECOMPUTE003
        using Aspire.Hosting.Publishing;

        internal static class Variants
        {
            public static void Apply(IDistributedApplicationBuilder builder, IResourceBuilder<ProjectResource> inventory)
            {
                var registry = builder.Configuration["Registry"];
                if (builder.Configuration["variant"] == "files-only")
                    builder.UseImagePublish(options => options.PushWhenPublishing = false);
                if (builder.Configuration["variant"] == "options")
                {
                    builder.UseImagePublish(options => options.Properties["ImageUser"] = "1000:1000");
                    inventory
                        .WithDockerfileBaseImage(runtimeImage: $"{registry}/dotnet/runtime:10.0")
                        .WithRemoteImageName("team/inventory")
                        .WithRemoteImageTag("2.0")
                        .WithContainerBuildOptions(options =>
                        {
                            options.TargetPlatform = ContainerTargetPlatform.AllLinux;
                            options.ImageFormat = ContainerImageFormat.Docker;
                        });
                    builder
                        .AddProject<Projects.Storefront>("archived")
                        .WithContainerBuildOptions(options =>
                        {
                            options.Destination = ContainerImageDestination.Archive;
                            options.OutputPath = builder.Configuration["archives"];
                        });
                    var tools = builder
                        .AddContainer("tools", $"{registry}/dotnet/runtime-deps", "10.0")
                        .WithAnnotation(new ContainerFilesSourceAnnotation { SourcePath = "/etc/passwd" });
                    builder
                        .CreateResourceBuilder(builder.Resources.OfType<ProjectResource>().Single(resource => resource.Name == "storefront"))
                        .WithRemoteImageTag("with-files")
                        .WithAnnotation(
                            new ContainerFilesDestinationAnnotation { Source = tools.Resource, DestinationPath = "./wwwroot/" }
                        );
                }
            }
        }
        """;
}
