using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json;
using ImagePublish.Diagnostics;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>Takes what somebody signed in with in Visual Studio's publish dialog, for the publish of this build.</summary>
/// <remarks>
/// Visual Studio hands it to the task of this name in the target <c>_PublishSingleContainer</c>, which are the .NET SDK's, and to no other
/// task. It never is a parameter, a property or an output, so that no log has it.
/// </remarks>
public sealed class CreateNewImage : ImageTask
{
    /// <summary>The project's name.</summary>
    [Required]
    public string ProjectName { get; set; } = "";

    private protected override Task ExecuteAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        var signIn = VisualStudioSignIn.Read(HostObject);
        log.Detail(
            signIn is null ? "Visual Studio hands over no sign-in." : "Visual Studio hands over a sign-in for the image's registry."
        );
        if (signIn is not null)
            BuildObjects.Add(BuildEngine4, FullPath(ProjectName), signIn);
        return Task.CompletedTask;
    }
}

/// <summary>A user name and password of Visual Studio's, as the .NET SDK's container task reads them.</summary>
/// <remarks>
/// <see href="https://github.com/dotnet/sdk/blob/main/src/Containers/Microsoft.NET.Build.Containers/VSHostObject.cs">VSHostObject</see>: in
/// another process the items come as JSON through COM, in the same one as they are.
/// </remarks>
internal sealed class VisualStudioSignIn
{
    private const string Query = "QueryAllTaskItems";
    private const string CredentialItem = "MsDeployCredential";
    private const string UserNameField = "UserName";
    private const string PasswordField = "Password";
    private const string SdkVariables = "DOTNET_CONTAINER_REGISTRY_";
    private readonly string userName;
    private readonly string password;

    private VisualStudioSignIn(string userName, string password)
    {
        this.userName = userName;
        this.password = password;
    }

    /// <summary>Tells two of them apart, without what is in them.</summary>
    public Guid Id { get; } = Guid.NewGuid();

    /// <summary>
    /// The environment variables that the SDK passes it on in: they are for the registry that the image goes to, and come after those of a
    /// push alone.
    /// </summary>
    public string? Variable(string name) =>
        name switch
        {
            SdkVariables + "UNAME" => userName,
            SdkVariables + "PWORD" => password,
            _ => null,
        };

    public static VisualStudioSignIn? Read(ITaskHost? host)
    {
        if (host is null)
            return null;
        return ReadJson(QueryItems(host)) ?? (host is IEnumerable<ITaskItem> items ? ReadItems(items) : null);
    }

    // A host of another version may lack the method, or fail in any way: then it hands over nothing, and the usual sign-in counts.
    [UnconditionalSuppressMessage("Trimming", "IL2075", Justification = "The host is a COM object, or a type of Visual Studio's.")]
    private static string? QueryItems(ITaskHost host)
    {
        try
        {
            return host.GetType().InvokeMember(Query, BindingFlags.InvokeMethod, null, host, null, null) as string;
        }
#pragma warning disable CA1031
        catch (Exception)
#pragma warning restore CA1031
        {
            return null;
        }
    }

    private static VisualStudioSignIn? ReadJson(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return null;
        try
        {
            using var document = JsonDocument.Parse(text);
            foreach (var item in document.RootElement.EnumerateArray())
            {
                if (Field(item, "ItemSpec") == CredentialItem && item.TryGetProperty("Metadata", out var metadata))
                    return Create(Field(metadata, UserNameField), Field(metadata, PasswordField));
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // It is something else.
        }

        return null;
    }

    private static VisualStudioSignIn? ReadItems(IEnumerable<ITaskItem> items) =>
        items.FirstOrDefault(item => item.ItemSpec == CredentialItem) is { } item
            ? Create(item.GetMetadata(UserNameField), item.GetMetadata(PasswordField))
            : null;

    private static VisualStudioSignIn? Create(string? userName, string? password) =>
        string.IsNullOrEmpty(userName) || string.IsNullOrEmpty(password) ? null : new VisualStudioSignIn(userName, password);

    private static string? Field(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) ? value.GetString() : null;
}
