namespace WebApp.Http;

internal sealed record Greeting(string Message);
