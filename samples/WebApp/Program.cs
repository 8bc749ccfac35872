using WebApp;
using WebApp.Chat;
using WebApp.Http;

WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
builder.Configuration.AddSampleDefaults();                            // ports and log levels; files, environment and command line win

builder.WebHost.UseLoopBridge();                                      // Kestrel's sockets run on our loops
builder.Services.AddReactorProtocol<EchoProtocol>();                  // callbacks, one object for each connection
builder.Services.AddLoopHandler<GreeterHandler>();                    // async code on a stream
builder.Services.AddReactorProtocol<ChatProtocol>();                  // lines, and everybody in one room
builder.Services.AddSingleton<ChatRoom>();
builder.Services.AddProblemDetails();

builder.WebHost.ConfigureKestrel(kestrel =>
{
    kestrel.UseSystemd();                                                                 // HTTP on sockets that systemd passes, if it does
    kestrel.ConfigureHttpsDefaults(https => https.ServerCertificate = SelfSignedCertificate.UnlessConfigured(builder.Configuration));
    kestrel.ConfigurationLoader!
        .Endpoint("Echo", endpoint => endpoint.UseReactorProtocol<EchoProtocol>())        // 7007
        .Endpoint("Greeter", endpoint => endpoint.UseLoopHandler<GreeterHandler>())       // 7008
        .Endpoint("Chat", endpoint => endpoint.UseReactorProtocol<ChatProtocol>());       // 7009
});

WebApplication app = builder.Build();
app.UseLoopBridge();                                                  // HTTP handlers get the loop of their connection

app.MapGet("/", HomePage.Show);                                       // what runs where
app.MapGet("/plaintext", Plaintext.Write);                            // 13 bytes, for measuring
app.MapGet("/json", () => new Greeting("Hello, World!"));
app.MapGet("/loops", LoopReport.GetAsync);                            // what each loop has done
app.MapGet("/resolve", NameLookup.ResolveAsync);                      // ?name=
app.MapGet("/later", Later.AnswerAsync);                              // ?ms=, from a reactor timer
app.MapGet("/bytes", Bytes.WriteAsync);                               // ?n=, streamed
app.MapPost("/upload", Upload.CountAsync);                            // answers with the count of bytes read
app.MapGet("/block", Block.Answer);                                   // ?ms=, blocking its thread
app.MapGet("/chat", ChatPage.Show);
app.MapReactorProtocol<EchoProtocol>("/ws/echo");                     // the same protocols, over WebSockets
app.MapReactorProtocol<ChatProtocol>("/ws/chat");

app.Run();

/// <summary>Named so that tests can run the whole of it.</summary>
public partial class Program;
