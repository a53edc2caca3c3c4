; SPDX-License-Identifier: GPL-2.0-or-later
; Goes to sleep (ACPI S3) by itself. It leaves no waking vector behind, so the BIOS boots it again when it
; is woken: then it stays awake and heeds the power button like acpi.asm.
%include "tests/guests/common.inc"
SLEEP_S3  equ 1 << 13 | 1 << 10         ; SLP_EN with SLP_TYP 1, which is S3 on q35
CMOS      equ 0x70                      ; what keeps a mark through sleep and BIOS
SPARE     equ 0x7e
MARK      equ 0xa5
        BEGIN
        mov dx, PM1_EN
        mov ax, POWER_BIT
        out dx, ax
        mov al, SPARE
        out CMOS, al
        in al, CMOS + 1
        cmp al, MARK
        je awake
        mov al, SPARE
        out CMOS, al
        mov al, MARK
        out CMOS + 1, al
        SAY "sleep: up"
        mov cx, TICKS
        call wait_ticks
        mov dx, PM1_CNT
        mov ax, SLEEP_S3
        out dx, ax
        hlt
awake:  SAY "sleep: awake"
look:
        mov cx, 1
        call wait_ticks
        mov dx, PM1_STS
        in ax, dx
        test ax, POWER_BIT
        jz look
        SAY "sleep: off"
        POWER_OFF
        hlt
        END
