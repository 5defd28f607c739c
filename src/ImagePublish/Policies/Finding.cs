using ImagePublish.Diagnostics;

namespace ImagePublish.Policies;

/// <summary>Something that a policy does not allow, as one line.</summary>
internal sealed record Finding(DiagnosticCode Code, string Message);
