namespace ImagePublish.Testing;

/// <summary>
/// Marks the test of a failure that is handled; <see cref="ReliabilityDocument"/> lists it in <c>docs/reliability.md</c>.
/// </summary>
/// <param name="area">What the case is about, such as <c>Sign-in</c>.</param>
/// <param name="name">The case.</param>
/// <param name="outcome">What happens.</param>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class ReliabilityCaseAttribute(string area, string name, string outcome) : Attribute
{
    public string Area { get; } = area;

    public string Name { get; } = name;

    public string Outcome { get; } = outcome;
}
