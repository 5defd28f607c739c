using System.Globalization;
using System.Xml.Linq;

namespace ImagePublish.Benchmarks.Drawing;

/// <summary>Draws charts beside each other.</summary>
internal static class SvgPicture
{
    private const double Width = 420;

    private const double Height = 320;

    private const double Margin = 60;

    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    public static string Draw(string title, IReadOnlyList<Chart> charts)
    {
        var root = new XElement(
            Svg + "svg",
            new XAttribute("viewBox", Text($"0 0 {charts.Count * Width} {Height + Margin}")),
            new XAttribute("font-family", "sans-serif"),
            new XAttribute("font-size", 12),
            new XElement(Svg + "rect", new XAttribute("width", "100%"), new XAttribute("height", "100%"), new XAttribute("fill", "white")),
            Label(20, 20, title, "start")
        );
        var values = charts.SelectMany(chart => chart.Lines).SelectMany(line => line.Points).Select(point => point.Y).ToList();
        var vertical = Scale.Over(values, Height - Margin, Margin - 20);
        foreach (var (index, chart) in charts.Index())
            root.Add(
                new XElement(
                    Svg + "g",
                    new XAttribute("transform", Text($"translate({index * Width} 0)")),
                    Axes(chart, vertical),
                    chart.Lines.Select(line => Draw(line, HorizontalOf(chart), vertical))
                )
            );
        foreach (var (index, line) in charts[0].Lines.Index())
        {
            var x = Margin + (index * 220);
            root.Add(Stroke(x, Height + 30, x + 24, Height + 30, line.Colour, 2.5), Label(x + 30, Height + 34, line.Name, "start"));
        }

        return root + "\n";
    }

    private static Scale HorizontalOf(Chart chart) =>
        Scale.Over(chart.Lines.SelectMany(line => line.Points).Select(point => point.X), Margin, Width - 20);

    private static IEnumerable<XElement> Axes(Chart chart, Scale vertical)
    {
        foreach (var value in vertical.Steps)
        {
            yield return Stroke(Margin, vertical.At(value), Width - 20, vertical.At(value), "#e5e7eb", 1);
            yield return Label(Margin - 6, vertical.At(value) + 4, Text($"{value:0.###} s"), "end");
        }

        var horizontal = HorizontalOf(chart);
        foreach (var value in chart.Lines[0].Points.Select(point => point.X))
            yield return Label(horizontal.At(value), Height - Margin + 18, Text($"{value:N0}"), "middle");
        yield return Label((Margin + Width - 20) / 2, Height - Margin + 38, chart.Title, "middle");
    }

    private static IEnumerable<XElement> Draw(Line line, Scale horizontal, Scale vertical)
    {
        var points = line.Points.Select(point => (X: horizontal.At(point.X), Y: vertical.At(point.Y))).ToList();
        yield return new XElement(
            Svg + "polyline",
            new XAttribute("points", string.Join(' ', points.Select(point => Text($"{point.X:0.#},{point.Y:0.#}")))),
            new XAttribute("fill", "none"),
            new XAttribute("stroke", line.Colour),
            new XAttribute("stroke-width", 2.5)
        );
        foreach (var (x, y) in points)
            yield return new XElement(
                Svg + "circle",
                new XAttribute("cx", Text($"{x:0.#}")),
                new XAttribute("cy", Text($"{y:0.#}")),
                new XAttribute("r", 3.5),
                new XAttribute("fill", line.Colour)
            );
    }

    private static XElement Stroke(double x1, double y1, double x2, double y2, string colour, double width) =>
        new(
            Svg + "line",
            new XAttribute("x1", Text($"{x1:0.#}")),
            new XAttribute("y1", Text($"{y1:0.#}")),
            new XAttribute("x2", Text($"{x2:0.#}")),
            new XAttribute("y2", Text($"{y2:0.#}")),
            new XAttribute("stroke", colour),
            new XAttribute("stroke-width", Text($"{width}"))
        );

    private static XElement Label(double x, double y, string text, string anchor) =>
        new(
            Svg + "text",
            new XAttribute("x", Text($"{x:0.#}")),
            new XAttribute("y", Text($"{y:0.#}")),
            new XAttribute("text-anchor", anchor),
            text
        );

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>A logarithmic axis. What is below a hundredth is drawn there.</summary>
    private sealed record Scale(double Low, double High, double From, double To)
    {
        private const double Least = 0.01;

        public IEnumerable<double> Steps => Enumerable.Range(0, (int)Math.Round(High - Low) + 1).Select(step => Math.Pow(10, Low + step));

        public static Scale Over(IEnumerable<double> values, double from, double to)
        {
            var exponents = values.Select(value => Math.Log10(Math.Max(value, Least))).ToList();
            return new Scale(Math.Floor(exponents.Min()), Math.Ceiling(exponents.Max()), from, to);
        }

        public double At(double value) => From + ((To - From) * (Math.Log10(Math.Max(value, Least)) - Low) / Math.Max(High - Low, 1));
    }
}
