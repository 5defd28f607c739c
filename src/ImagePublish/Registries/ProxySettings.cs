namespace ImagePublish.Registries;

/// <summary>The proxies as <c>HTTP_PROXY</c>, <c>HTTPS_PROXY</c> and <c>NO_PROXY</c> name them. Registries of this machine never go through one.</summary>
/// <param name="Except">Hosts that are reached directly, separated by commas: <c>example.com</c> with everything below it, <c>10.1.2.3:5000</c>, <c>10.0.0.0/8</c> or <c>*</c>.</param>
internal sealed record ProxySettings(string? Http, string? Https, string? Except = null)
{
    /// <summary>Never shows what may hold a password.</summary>
    public override string ToString() => $"http: {(Http is null ? "none" : "set")}, https: {(Https is null ? "none" : "set")}";
}
