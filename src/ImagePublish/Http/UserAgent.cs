namespace ImagePublish.Http;

/// <summary>How requests name who sends them.</summary>
internal static class UserAgent
{
    public static string Value { get; } = $"ImagePublish.Tasks/{typeof(UserAgent).Assembly.GetName().Version?.ToString(3)}";
}
