namespace ImagePublish.Testing;

/// <summary>How one product or service behaves, on loopback: as the rows of <c>src/ImagePublish/Registries/quirks.md</c> say that name
/// it.</summary>
/// <param name="Configure">Makes a registry speak it.</param>
/// <param name="User">Signs in with <paramref name="Password"/>.</param>
/// <param name="Repository">One that may be pushed to.</param>
public sealed record RegistryDialect(
    string Name,
    Action<TestRegistryOptions> Configure,
    string User,
    string Password,
    string Repository = "team/app"
)
{
    public override string ToString() => Name;
}
