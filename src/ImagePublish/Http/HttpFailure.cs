using System.Globalization;
using System.Net;
using ImagePublish.Diagnostics;

namespace ImagePublish.Http;

/// <summary>A request that did not do what it was for: its purpose, where it went, and what came back.</summary>
internal record HttpFailure(string Purpose, HttpMethod Method, RequestUrl Url)
{
    public HttpStatusCode? Status { get; init; }

    /// <summary>What went wrong with the connection, if there was no response.</summary>
    public TransportException? Transport { get; init; }

    public TimeSpan? RetryAfter { get; init; }

    /// <summary>What the response says about it; empty where it says nothing.</summary>
    public virtual string Detail => "";

    public bool IsTransient => Transport?.IsTransient ?? IsTransientStatus(Status!.Value);

    public string Reason => Transport?.Message ?? $"{Url.Authority} answers {DescribeStatus()}";

    public static bool IsTransientStatus(HttpStatusCode status) =>
        (int)status is 408 or 425 or 429 or 499 or 500 or 502 or 503 or 504 or 522;

    public static HttpFailure FromResponse(string purpose, TransportResponse response, TimeProvider time) =>
        new(purpose, response.Method, response.Url)
        {
            Status = response.Status,
            RetryAfter = RetryAfterHeader.Parse(response.Header("Retry-After"), time.GetUtcNow()),
        };

    public ImagePublishException ToException(DiagnosticCode code, string advice)
    {
        var outcome = Transport is null ? $"answered {DescribeStatus()}" : $"failed, {Transport.Message}";
        return new ImagePublishException(code, $"Could not {Purpose}: {Method} {Url.Shown} {outcome}. {advice}", Transport);
    }

    private string DescribeStatus()
    {
        var detail = Detail.Length > 0 ? $" ({Detail})" : "";
        return string.Create(CultureInfo.InvariantCulture, $"{(int)Status!.Value}{Words(Status.Value)}{detail}");
    }

    // TooManyRequests becomes " Too Many Requests"; a status without a name is only its number.
    private static string Words(HttpStatusCode status)
    {
        if (!Enum.IsDefined(status))
            return "";
        if (status == HttpStatusCode.OK)
            return " OK";
        return string.Concat(status.ToString().Select(c => char.IsAsciiLetterUpper(c) ? $" {c}" : c.ToString()));
    }
}
