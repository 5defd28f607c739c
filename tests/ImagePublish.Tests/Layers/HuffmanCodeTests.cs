using ImagePublish.Layers.Deflate;

namespace ImagePublish.Tests.Layers;

public sealed class HuffmanCodeTests
{
    [Fact]
    public void CodesAreCompleteAndNoLongerThanAllowed()
    {
        var random = new Random(1);
        for (var round = 0; round < 500; round++)
        {
            var (count, maxLength) = round % 2 == 0 ? (286, 15) : (19, 7);
            var code = new HuffmanCode(count, maxLength);
            for (var symbol = 0; symbol < count; symbol++)
                code.Frequencies[symbol] = random.Next(4) == 0 ? 0 : (int)Math.Exp(random.NextDouble() * 15);

            code.Build();

            AssertPrefixCode(code, maxLength);
        }
    }

    [Fact]
    public void FrequenciesThatAskForLongerCodewordsAreHeldToTheLimit()
    {
        var code = new HuffmanCode(30, 15);
        for (var (symbol, one, other) = (0, 1, 1); symbol < 30; symbol++, (one, other) = (other, one + other))
            code.Frequencies[symbol] = one;

        code.Build();

        AssertPrefixCode(code, 15);
        Assert.Equal(15, code.Lengths.Max());
        Assert.Equal(1, code.Lengths[29]);
    }

    [Theory]
    [InlineData(new int[0], 0, 1)]
    [InlineData(new[] { 0 }, 0, 1)]
    [InlineData(new[] { 5 }, 0, 5)]
    public void ACodeOfOneSymbolHasTwoCodewords(int[] used, int first, int second)
    {
        var code = new HuffmanCode(30, 15);
        foreach (var symbol in used)
            code.Frequencies[symbol] = 3;

        code.Build();

        Assert.Equal([first, second], Enumerable.Range(0, 30).Where(symbol => code.Lengths[symbol] == 1));
        AssertPrefixCode(code, 15);
    }

    [Fact]
    public void ARarerSymbolNeverHasAShorterCodeword()
    {
        var code = new HuffmanCode(286, 15);
        for (var symbol = 0; symbol < 286; symbol++)
            code.Frequencies[symbol] = (symbol * 7919 % 1009) + 1;

        code.Build();

        var byFrequency = Enumerable
            .Range(0, 286)
            .OrderBy(symbol => code.Frequencies[symbol])
            .Select(symbol => code.Lengths[symbol])
            .ToList();
        Assert.Equal(byFrequency.OrderDescending(), byFrequency);
    }

    // Kraft's sum is one, and no codeword begins with another.
    private static void AssertPrefixCode(HuffmanCode code, int maxLength)
    {
        var symbols = Enumerable.Range(0, code.Lengths.Length).Where(symbol => code.Lengths[symbol] > 0).ToList();
        Assert.All(symbols, symbol => Assert.InRange(code.Lengths[symbol], 1, maxLength));
        Assert.Equal(1 << maxLength, symbols.Sum(symbol => 1 << (maxLength - code.Lengths[symbol])));
        var seen = new HashSet<string>();
        foreach (
            var word in symbols
                .OrderBy(symbol => code.Lengths[symbol])
                .Select(symbol =>
                    string.Concat(Enumerable.Range(0, code.Lengths[symbol]).Select(bit => (code.Codewords[symbol] >> bit) & 1))
                )
        )
        {
            Assert.DoesNotContain(Enumerable.Range(1, word.Length).Select(length => word[..length]), seen.Contains);
            seen.Add(word);
        }
    }
}
