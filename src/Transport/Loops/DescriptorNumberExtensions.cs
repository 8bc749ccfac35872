using System.Runtime.InteropServices;
using LoopBridge.Drivers;

namespace LoopBridge.Loops;

/// <summary>
/// Descriptors as numbers, on any loop: for those that come from a library which has no <see cref="SafeHandle"/>. A number and a handle of
/// the same descriptor denote the same registration.
/// </summary>
/// <remarks>
/// A number keeps nothing open. Remove the handler before the descriptor is closed: the system gives the number to the next descriptor that
/// anybody opens, and the handler would be called for that one. With a <see cref="SafeHandle"/> the loop prevents it.
/// </remarks>
public static class DescriptorNumberExtensions
{
    /// <summary>
    /// As <see cref="IEventLoop.AddHandler(SafeHandle, IoEvents, Action{SafeHandle, IoEvents})"/>; the handler is given the number.
    /// </summary>
    /// <exception cref="InvalidOperationException">The descriptor has a handler already, by number or by handle.</exception>
    /// <exception cref="IOException">The driver cannot watch such a descriptor.</exception>
    public static void AddHandler(this IEventLoop loop, nint descriptor, IoEvents events, Action<nint, IoEvents> handler)
    {
        ArgumentNullException.ThrowIfNull(loop);
        ArgumentNullException.ThrowIfNull(handler);
        loop.AddHandler(new DescriptorNumber(descriptor), events, new NumberHandler(descriptor, handler).Handle);
    }

    /// <inheritdoc cref="IEventLoop.UpdateHandler(SafeHandle, IoEvents)"/>
    public static void UpdateHandler(this IEventLoop loop, nint descriptor, IoEvents events)
    {
        ArgumentNullException.ThrowIfNull(loop);
        loop.UpdateHandler(new DescriptorNumber(descriptor), events);
    }

    /// <inheritdoc cref="IEventLoop.RemoveHandler(SafeHandle)"/>
    public static void RemoveHandler(this IEventLoop loop, nint descriptor)
    {
        ArgumentNullException.ThrowIfNull(loop);
        loop.RemoveHandler(new DescriptorNumber(descriptor));
    }

    private sealed class NumberHandler(nint descriptor, Action<nint, IoEvents> handler) : IPassesOn
    {
        public object Source => handler;

        internal void Handle(SafeHandle registered, IoEvents events) => handler(descriptor, events);
    }
}
