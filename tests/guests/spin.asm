; SPDX-License-Identifier: GPL-2.0-or-later
; Spins for ever on every CPU that was there at power-on: its vCPU threads always want to run. The other
; CPUs are started as an operating system does it, with INIT and two SIPIs over the local APIC, which
; takes addresses that real mode reaches only after a look into protected mode.
%include "tests/guests/common.inc"
APIC_SPURIOUS equ 0xfee000f0
APIC_ICR      equ 0xfee00300
ALL_OTHERS    equ 0xc4000               ; destination: all but self; level: assert
INIT          equ 0x500
SIPI          equ 0x600
SPIN_PAGE     equ 0x8                   ; the others begin at this page, 0x8000

        BEGIN
        cli
        lgdt [gdt_register]
        mov eax, cr0
        or al, 1
        mov cr0, eax
        mov bx, 8
        mov fs, bx                      ; a segment of 4 GiB, which fs keeps in real mode
        and al, 0xfe
        mov cr0, eax
        mov word [SPIN_PAGE << 12], 0xfeeb      ; "jmp $"
        or dword [fs:dword APIC_SPURIOUS], 0x100
        mov dword [fs:dword APIC_ICR], ALL_OTHERS | INIT
        sti
        mov cx, 1
        call wait_ticks
        mov dword [fs:dword APIC_ICR], ALL_OTHERS | SIPI | SPIN_PAGE
        mov cx, 1
        call wait_ticks
        mov dword [fs:dword APIC_ICR], ALL_OTHERS | SIPI | SPIN_PAGE
        SAY "spin: up"
        cli
        jmp $

        align 8
gdt:    dq 0
        dq 0x00cf92000000ffff           ; data, base 0, limit 4 GiB
gdt_register:
        dw $ - gdt - 1
        dd gdt
        END
