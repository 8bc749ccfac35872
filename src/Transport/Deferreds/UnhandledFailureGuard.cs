using System.Diagnostics.CodeAnalysis;

namespace LoopBridge.Deferreds;

/// <summary>
/// Stands behind a failure at the end of a chain. When the Deferred is collected with the failure still in it, the guard is collected
/// with it and reports (R-DEF-13). Only such failures pay for a finalizer: the Deferred has none.
/// </summary>
internal sealed class UnhandledFailureGuard(Exception failure)
{
    ~UnhandledFailureGuard() => Deferred.ReportUnhandled(failure);

    [SuppressMessage("Usage", "CA1816:Dispose methods should call SuppressFinalize", Justification = "Nothing is left to report.")]
    public void Disarm() => GC.SuppressFinalize(this);
}
