; SPDX-License-Identifier: GPL-2.0-or-later
; Says over the pvpanic device, TICKS after its start, that it has crashed, and goes on, as a kernel does
; that writes its dump. Needs -device pvpanic.
%include "tests/guests/common.inc"
PVPANIC   equ 0x505
PANICKED  equ 1

        BEGIN
        SAY "panic: up"
        mov cx, TICKS
        call wait_ticks
        mov dx, PVPANIC
        mov al, PANICKED
        out dx, al
        mov cx, 1
        call wait_ticks
        SAY "panic: still here"
idle:   hlt
        jmp idle
        END
