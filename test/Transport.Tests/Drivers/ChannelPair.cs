using System.Net;
using System.Net.Sockets;
using LoopBridge.Drivers;

namespace LoopBridge.Transport.Tests.Drivers;

/// <summary>A stream channel on a driver, connected through it to a plain blocking socket.</summary>
internal sealed class ChannelPair : IDisposable
{
    private ChannelPair(IIoDriver driver, IStreamChannel near, RecordingOwner owner, Socket far)
    {
        Driver = driver;
        Near = near;
        Owner = owner;
        Far = far;
        Far.ReceiveTimeout = Far.SendTimeout = 30_000;
    }

    internal IIoDriver Driver { get; }

    internal IStreamChannel Near { get; }

    internal RecordingOwner Owner { get; }

    internal Socket Far { get; }

    internal static ChannelPair Connect(LoopDriver which, string address = "ipv4")
    {
        EndPoint endPoint = DriverCases.NewEndPoint(address);
        using Socket listener = SocketPair.NewSocket(endPoint);
        listener.Bind(endPoint);
        listener.Listen();
        IIoDriver driver = IoDriverFactory.Create(which);
        IStreamChannel near = driver.OpenStream(driver.CreateSocket(endPoint.AddressFamily));
        var owner = new RecordingOwner();
        IoResult result = near.Connect(listener.LocalEndPoint!);
        near.Start(owner);
        if (result.IsPending)
        {
            driver.PumpUntil(() => owner.Connected is not null, "the connect");
            Assert.Equal(SocketError.Success, owner.Connected);
        }
        else
        {
            Assert.True(result.IsOk);
        }

        return new ChannelPair(driver, near, owner, listener.Accept());
    }

    /// <summary>Receives once there is something to answer.</summary>
    internal IoResult Receive(Span<byte> buffer)
    {
        while (true)
        {
            IoResult result = Near.Receive(buffer);
            if (!result.IsPending)
            {
                return result;
            }

            int seen = Owner.Receivable;
            Driver.PumpUntil(() => Owner.Receivable > seen, "something to receive");
        }
    }

    public void Dispose()
    {
        Near.Close(reset: false);
        Driver.Dispose();
        Far.Dispose();
    }
}
