using LoopBridge.Resolvers;

namespace WebApp.Http;

/// <summary>Every address of a name, from the resolver that all outbound connections use.</summary>
internal static class NameLookup
{
    internal static async Task<IResult> ResolveAsync(string? name, INameResolver resolver, CancellationToken cancellationToken)
    {
        try
        {
            NameResolution resolution = await resolver.ResolveAsync(name ?? "", port: 0, cancellationToken: cancellationToken);
            return Results.Ok(new
            {
                Name = name,
                Addresses = resolution.EndPoints.Select(endPoint => endPoint.Address.ToString()),
                Source = resolution.Source.ToString(),
                resolution.Ttl,
            });
        }
        catch (NameResolutionException e)
        {
            // Expected: names are wrong or unknown every day.
            int status = e.Reason switch
            {
                NameResolutionFailure.InvalidName => StatusCodes.Status400BadRequest,
                NameResolutionFailure.NotFound or NameResolutionFailure.NoAddress => StatusCodes.Status404NotFound,
                NameResolutionFailure.Timeout => StatusCodes.Status504GatewayTimeout,
                _ => StatusCodes.Status503ServiceUnavailable,
            };
            return Results.Problem(e.Message, title: e.Reason.ToString(), statusCode: status);
        }
    }
}
