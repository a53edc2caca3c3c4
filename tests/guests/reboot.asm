; SPDX-License-Identifier: GPL-2.0-or-later
; Resets the machine once, TICKS after its first boot, then idles. Which boot it is stands in a byte of
; CMOS memory: it outlives a reset, but not QEMU. So each new QEMU says "first boot" again.
%include "tests/guests/common.inc"
CMOS     equ 0x70
MARK_AT  equ 0x50                       ; a byte that neither the RTC nor SeaBIOS uses
MARK     equ 0xb2

        BEGIN
        mov al, MARK_AT
        out CMOS, al
        in al, CMOS + 1
        cmp al, MARK
        je again
        mov al, MARK_AT
        out CMOS, al
        mov al, MARK
        out CMOS + 1, al
        SAY "reboot: first boot"
        mov cx, TICKS
        call wait_ticks
        mov dx, 0xcf9                   ; the chipset's reset register: a hard reset
        mov al, 0x06
        out dx, al
        hlt
again:
        SAY "reboot: second boot"
idle:   hlt
        jmp idle
        END
