; SPDX-License-Identifier: GPL-2.0-or-later
; Powers itself off after TICKS / 18.2 s, as an ACPI guest does: QEMU ends with SHUTDOWN guest-shutdown.
; A longer life: nasm -DTICKS=546 (30 s).
%include "tests/guests/common.inc"
        BEGIN
        SAY "poweroff: up"
        mov cx, TICKS
        call wait_ticks
        SAY "poweroff: off"
        POWER_OFF
        hlt
        END
