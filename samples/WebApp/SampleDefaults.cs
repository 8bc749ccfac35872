using Microsoft.Extensions.Configuration.Memory;

namespace WebApp;

internal static class SampleDefaults
{
    // Kestrel binds in the order of the names. Web is last because test clients take the last address for the base of theirs.
    private static readonly Dictionary<string, string?> Values = new()
    {
        ["Kestrel:Endpoints:Chat:Url"] = "http://127.0.0.1:7009",
        ["Kestrel:Endpoints:Echo:Url"] = "http://127.0.0.1:7007",
        ["Kestrel:Endpoints:Greeter:Url"] = "http://127.0.0.1:7008",
        ["Kestrel:Endpoints:Http2:Url"] = "http://127.0.0.1:5082",
        ["Kestrel:Endpoints:Http2:Protocols"] = "Http2",
        ["Kestrel:Endpoints:Https:Url"] = "https://127.0.0.1:5443",
        ["Kestrel:Endpoints:Web:Url"] = "http://127.0.0.1:5080",
        ["Kestrel:Endpoints:Web:Protocols"] = "Http1",
        ["Logging:LogLevel:Default"] = "Information",
        ["Logging:LogLevel:Microsoft.AspNetCore"] = "Warning",
    };

    /// <summary>
    /// Defaults below every other source: appsettings.json, environment variables and the command line change any of them.
    /// </summary>
    internal static void AddSampleDefaults(this IConfigurationManager configuration)
        => configuration.Sources.Insert(0, new MemoryConfigurationSource { InitialData = Values });
}
