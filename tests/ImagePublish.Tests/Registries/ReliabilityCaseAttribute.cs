namespace ImagePublish.Tests.Registries;

/// <summary>Marks the test of a case that a registry client must survive; the table in <c>docs/reliability.md</c> is made of these.</summary>
/// <param name="area">The part of the client, such as <c>Sign-in</c>.</param>
/// <param name="name">The case.</param>
/// <param name="outcome">What becomes of it.</param>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ReliabilityCaseAttribute(string area, string name, string outcome) : Attribute
{
    public string Area { get; } = area;

    public string Name { get; } = name;

    public string Outcome { get; } = outcome;
}
