using System.Text.Json.Nodes;

namespace ImagePublish.Tasks.Tests.Support;

/// <summary>The base image's config: what Microsoft's images say, and fields that nobody knows and everybody must keep.</summary>
public static class BaseImageConfig
{
    public static JsonObject Create(JsonObject platform, int layers, DotNetInstallation dotnet)
    {
        var config = platform.DeepClone().AsObject();
        config["created"] = "2026-01-01T00:00:00Z";
        config["author"] = "The tests";
        config["config"] = ContainerConfig(layers, dotnet);
        config["history"] = History(layers);
        config[BaseImage.UnknownConfigField] = new JsonObject { ["kept"] = new JsonArray(1, 2.5m, "drei", null) };
        return config;
    }

    private static JsonObject ContainerConfig(int layers, DotNetInstallation dotnet)
    {
        var environment = new JsonArray(
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            $"APP_UID={BaseImageLayers.UserId}",
            "ASPNETCORE_HTTP_PORTS=8080",
            "DOTNET_RUNNING_IN_CONTAINER=true"
        );
        if (layers > 2)
            environment.Add((JsonNode)$"DOTNET_VERSION={dotnet.RuntimeVersion}");
        if (layers > 3)
            environment.Add((JsonNode)$"ASPNET_VERSION={dotnet.AspNetVersion}");
        return new JsonObject
        {
            ["Env"] = environment,
            ["Cmd"] = new JsonArray("bash"),
            ["Labels"] = new JsonObject { ["org.opencontainers.image.vendor"] = "Tests", ["com.example.base"] = "kept" },
            ["ComExampleUnknown"] = true,
        };
    }

    private static JsonArray History(int layers)
    {
        var history = new JsonArray(
            Step("debootstrap # operating system"),
            Step("ENV APP_UID=1654 ASPNETCORE_HTTP_PORTS=8080 DOTNET_RUNNING_IN_CONTAINER=true", isEmpty: true),
            Step("RUN useradd app")
        );
        if (layers > 2)
            history.Add((JsonNode)Step("COPY /dotnet /usr/share/dotnet"));
        if (layers > 3)
            history.Add((JsonNode)Step("COPY /shared/Microsoft.AspNetCore.App /usr/share/dotnet/shared/Microsoft.AspNetCore.App"));
        return history;
    }

    private static JsonObject Step(string createdBy, bool isEmpty = false)
    {
        var step = new JsonObject { ["created"] = "2026-01-01T00:00:00Z", ["created_by"] = createdBy };
        if (isEmpty)
            step["empty_layer"] = true;
        return step;
    }
}
