using LoopBridge.Interop;
using LoopBridge.Sockets;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Sockets;

/// <summary>The descriptor that is kept for a full process.</summary>
public sealed class DescriptorReservationTests : ContractTest
{
    private readonly ILogger _log;

    public DescriptorReservationTests() => _log = Log.CreateLogger("reservation");

    [Fact]
    [Contract("R-TCPP-04")]
    public void AddUser_Twice_HoldsOneDescriptor_UntilTheLastGoes()
    {
        SkipUnless(OperatingSystem.IsLinux(), "descriptors are reserved on Linux only");
        int opened = 0;
        using var reservation = new DescriptorReservation(() =>
        {
            opened++;
            return LibC.EventFd();
        });
        Assert.False(reservation.IsHeld);
        reservation.AddUser(_log);
        reservation.AddUser(_log);
        Assert.Equal(1, opened);

        reservation.RemoveUser();
        Assert.True(reservation.IsHeld);
        reservation.RemoveUser();
        Assert.False(reservation.IsHeld);
    }

    [Fact]
    [Contract("R-TCPP-04")]
    public void AddUser_NoDescriptorLeft_IsLogged_OtherErrorsAreThrown()
    {
        SkipUnless(OperatingSystem.IsLinux(), "descriptors are reserved on Linux only");
        using var full = new DescriptorReservation(() => Failed(Errno.EMFILE));
        full.AddUser(_log);
        Assert.False(full.IsHeld);
        Assert.Equal("ReservationFailed", Log.TakeSingle(LogLevel.Warning).Id.Name);

        using var broken = new DescriptorReservation(() => Failed(Errno.ENOMEM));
        Assert.Throws<IOException>(() => broken.AddUser(_log));
    }

    [Fact]
    [Contract("R-TCPP-04")]
    public void Use_WithoutReservation_Throws()
    {
        using var reservation = new DescriptorReservation(LibC.EventFd);
        bool ran = false;
        Assert.Throws<InvalidOperationException>(() => reservation.Use(_ => ran = true, _log));
        Assert.False(ran);
    }

    [Fact]
    [Contract("R-TCPP-04")]
    public void Use_FreesInside_TakesAgainAlsoAfterAnException_LogComesAfterwards()
    {
        SkipUnless(OperatingSystem.IsLinux(), "descriptors are reserved on Linux only");
        using var reservation = new DescriptorReservation(LibC.EventFd);
        reservation.AddUser(_log);
        bool? heldInside = null;
        int loggedInside = -1;

        Assert.Throws<InvalidTimeZoneException>(() => reservation.Use(log =>
        {
            heldInside = reservation.IsHeld;
            log.LogWarning("inside");
            loggedInside = Log.Entries.Count;
            throw new InvalidTimeZoneException("bug");
        }, _log));

        Assert.False(heldInside);
        Assert.Equal(0, loggedInside);
        Assert.Equal("inside", Log.TakeSingle(LogLevel.Warning).Message);
        Assert.True(reservation.IsHeld);
    }

    [Fact]
    [Contract("R-TCPP-04")]
    public void Use_CannotTakeAgain_DoesNotHideTheException()
    {
        SkipUnless(OperatingSystem.IsLinux(), "descriptors are reserved on Linux only");
        bool broken = false;
        using var reservation = new DescriptorReservation(() => broken ? Failed(Errno.ENOMEM) : LibC.EventFd());
        reservation.AddUser(_log);
        broken = true;

        Assert.Throws<InvalidTimeZoneException>(() => reservation.Use(_ => throw new InvalidTimeZoneException("bug"), _log));

        Assert.Equal("ReservationLost", Log.TakeSingle(LogLevel.Error).Id.Name);
        Assert.False(reservation.IsHeld);
    }

    [Fact]
    [Contract("R-TCPP-04")]
    public void TryReserve_AfterALoss_HoldsOneAgain_ForAsLongAsSomebodyWants()
    {
        SkipUnless(OperatingSystem.IsLinux(), "descriptors are reserved on Linux only");
        bool full = true;
        using var reservation = new DescriptorReservation(() => full ? Failed(Errno.EMFILE) : LibC.EventFd());
        reservation.AddUser(_log);
        Assert.Equal("ReservationFailed", Log.TakeSingle(LogLevel.Warning).Id.Name);
        Assert.False(reservation.TryReserve());
        full = false;
        Assert.True(reservation.TryReserve());
        reservation.RemoveUser();
        Assert.False(reservation.TryReserve());
    }

    private static PosixResult Failed(Errno error) => PosixResult.OfError((int)error);
}
