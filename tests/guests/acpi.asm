; SPDX-License-Identifier: GPL-2.0-or-later
; Sleeps until somebody presses the power button, then powers itself off: how Windows and Linux answer
; system_powerdown. It looks once a tick rather than take the SCI: the BIOS has no handler for it.
; LINGER: so many ticks from the button to the end.
%include "tests/guests/common.inc"
%ifndef LINGER
%define LINGER 0
%endif
        BEGIN
        mov dx, PM1_EN
        mov ax, POWER_BIT
        out dx, ax
        SAY "acpi: up"
look:
        mov cx, 1
        call wait_ticks
        mov dx, PM1_STS
        in ax, dx
        test ax, POWER_BIT
        jz look
        SAY "acpi: button"
        mov cx, LINGER
        call wait_ticks
        SAY "acpi: off"
        POWER_OFF
        hlt
        END
