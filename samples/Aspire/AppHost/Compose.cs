#pragma warning disable ASPIREPIPELINES001, ASPIREPIPELINES003, ASPIREPIPELINES004 // The pipeline is for evaluation.

using System.Text;
using System.Text.RegularExpressions;
using Aspire.Hosting.Pipelines;
using Microsoft.Extensions.DependencyInjection;

/// <summary>
/// Writes docker-compose.yaml when the app is published, in the form of Aspire.Hosting.Docker: images of projects are variables. In an
/// AppHost of your own this file is one line: <c>builder.AddDockerComposeEnvironment("compose")</c>.
/// </summary>
internal static partial class Compose
{
    public static void AddComposeFile(this IDistributedApplicationBuilder builder) =>
        builder.Pipeline.AddStep("publish-compose", WriteAsync, requiredBy: WellKnownPipelineSteps.Publish);

    private static async Task WriteAsync(PipelineStepContext context)
    {
        var yaml = new StringBuilder("services:\n");
        foreach (var resource in context.Model.GetComputeResources())
            await AppendServiceAsync(yaml, resource, context);
        var folder = Directory.CreateDirectory(context.Services.GetRequiredService<IPipelineOutputService>().GetOutputDirectory());
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "docker-compose.yaml"), yaml.ToString(), context.CancellationToken);
    }

    private static async Task AppendServiceAsync(StringBuilder yaml, IResource resource, PipelineStepContext context)
    {
        var image = resource.TryGetContainerImageName(out var name) ? name : $"${{{Variable(resource.Name)}_IMAGE}}";
        yaml.Append($"  {resource.Name}:\n    image: \"{image}\"\n");
        if (resource is not IResourceWithEnvironment withEnvironment)
            return;
        yaml.Append("    environment:\n");
        var environment = await withEnvironment.GetEnvironmentVariableValuesAsync(DistributedApplicationOperation.Publish);
        foreach (var (variable, value) in environment)
            yaml.Append($"      {variable}: \"{Resolve(value, context.Model)}\"\n");
        if (resource.TryGetEndpoints(out var endpoints) && endpoints.FirstOrDefault(endpoint => endpoint.IsExternal) is { } open)
            yaml.Append($"    ports:\n      - \"{Port(open)}\"\n");
    }

    // {inventory.bindings.http.url}: services reach each other by name. Parameters are variables.
    private static string Resolve(string value, DistributedApplicationModel model) =>
        Expression()
            .Replace(
                value,
                found =>
                {
                    var name = found.Groups["name"].Value;
                    var resource = model.Resources.FirstOrDefault(resource => resource.Name == name);
                    return (resource, found.Groups["path"].Value.Split('.')) switch
                    {
                        ({ }, ["bindings", var binding, "url"]) => $"http://{name}:{Port(Endpoint(resource, binding))}",
                        ({ }, ["bindings", _, "host"]) => name,
                        ({ }, ["bindings", var binding, _]) => $"{Port(Endpoint(resource, binding))}",
                        (IResourceWithConnectionString database, ["connectionString"]) => Resolve(
                            database.ConnectionStringExpression.ValueExpression,
                            model
                        ),
                        _ => $"${{{Variable(name)}}}",
                    };
                }
            );

    private static EndpointAnnotation Endpoint(IResource resource, string name) =>
        resource.Annotations.OfType<EndpointAnnotation>().First(endpoint => endpoint.Name == name);

    private static int Port(EndpointAnnotation endpoint) => endpoint.TargetPort ?? 8080;

    private static string Variable(string name) => name.ToUpperInvariant().Replace('-', '_');

    [GeneratedRegex(@"\{(?<name>[\w-]+)\.(?<path>[\w.-]+)\}")]
    private static partial Regex Expression();
}
