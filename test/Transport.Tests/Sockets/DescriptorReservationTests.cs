using LoopBridge.Interop;
using LoopBridge.Sockets;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Protocols;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Sockets;

/// <summary>The descriptor that is kept for a full process.</summary>
public sealed class DescriptorReservationTests
{
    private readonly LogList _log = new();

    [Fact]
    [Contract("R-TCPP-04")]
    public void AddUser_Twice_HoldsOneDescriptor_UntilTheLastGoes()
    {
        SkipUnlessLinux();
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
        SkipUnlessLinux();
        using var full = new DescriptorReservation(() => Failed(Errno.EMFILE));
        full.AddUser(_log);
        Assert.False(full.IsHeld);
        Assert.Single(_log.Named("ReservationFailed"));

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
        SkipUnlessLinux();
        using var reservation = new DescriptorReservation(LibC.EventFd);
        reservation.AddUser(_log);
        bool? heldInside = null;
        int loggedInside = -1;

        Assert.Throws<InvalidTimeZoneException>(() => reservation.Use(log =>
        {
            heldInside = reservation.IsHeld;
            log.LogWarning("inside");
            loggedInside = _log.Entries.Count;
            throw new InvalidTimeZoneException("bug");
        }, _log));

        Assert.False(heldInside);
        Assert.Equal(0, loggedInside);
        Assert.Equal("inside", Assert.Single(_log.Entries).Message);
        Assert.True(reservation.IsHeld);
    }

    [Fact]
    [Contract("R-TCPP-04")]
    public void Use_CannotTakeAgain_DoesNotHideTheException()
    {
        SkipUnlessLinux();
        bool broken = false;
        using var reservation = new DescriptorReservation(() => broken ? Failed(Errno.ENOMEM) : LibC.EventFd());
        reservation.AddUser(_log);
        broken = true;

        Assert.Throws<InvalidTimeZoneException>(() => reservation.Use(_ => throw new InvalidTimeZoneException("bug"), _log));

        Assert.Single(_log.Named("ReservationLost"));
        Assert.False(reservation.IsHeld);
    }

    private static PosixResult Failed(Errno error) => PosixResult.OfError((int)error);

    private static void SkipUnlessLinux() => Assert.SkipUnless(OperatingSystem.IsLinux(), "descriptors are reserved on Linux only");
}
