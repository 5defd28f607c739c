namespace ImagePublish.Benchmarks.Drawing;

/// <summary>One line of a chart.</summary>
/// <param name="Name">What it shows.</param>
/// <param name="Colour">Its colour, as SVG has it.</param>
/// <param name="Points">Its points, in order; neither axis starts at zero.</param>
internal sealed record Line(string Name, string Colour, IReadOnlyList<(double X, double Y)> Points);

/// <summary>A chart with the same kind of scale on both axes: each step ten times the one before.</summary>
/// <param name="Title">What stands below it.</param>
/// <param name="Lines">Its lines.</param>
internal sealed record Chart(string Title, IReadOnlyList<Line> Lines);
