; SPDX-License-Identifier: GPL-2.0-or-later
; Measures its own stalls, which is what a person at the screen feels: spins on rdtsc with interrupts off
; and says on COM1, every 0.8 s, the longest gap between two readings and the sum of all gaps over
; 100 us, both in microseconds: "worst 310 stolen 1250". How fast the time stamp counter runs is measured
; once, against the ACPI timer.
%include "tests/guests/common.inc"
TENTH     equ 357954                    ; 0.1 s of the ACPI timer's 3.579545 MHz
QUICK     equ 1 << 18                   ; both clocks read within so many cycles: no stall between

        BEGIN
        SAY "stall: up"
        cli
        call read_both
        mov edi, eax                    ; the timer and, in ebp, the counter at the beginning
        mov ebp, ebx
.measure:
        call read_both
        sub eax, edi
        and eax, 0xffffff
        cmp eax, TENTH
        jb .measure
        mov ecx, eax
        mov eax, ebx
        sub eax, ebp
        mov edx, TENTH
        mul edx
        div ecx
        mov [tenth], eax                ; cycles in 0.1 s
        xor edx, edx
        mov ecx, 1000
        div ecx
        mov [least], eax                ; in 100 us

; In the loop: ebx, ebp the last reading; esi worst, edi stolen; [passed] since the window began.
window:
        xor esi, esi
        xor edi, edi
        mov [passed], esi
        rdtsc
        mov ebx, eax
        mov ebp, edx
.next:
        rdtsc
        xchg eax, ebx
        xchg edx, ebp
        neg eax                         ; the gap in edx:eax = now - before
        adc edx, 0
        neg edx
        add eax, ebx
        adc edx, ebp
        jz .short
        or eax, -1                      ; beyond 32 bits: as much as can be said
.short:
        cmp eax, esi
        jbe .not_worst
        mov esi, eax
.not_worst:
        cmp eax, [least]
        jb .not_stolen
        add edi, eax
.not_stolen:
        add [passed], eax
        jc report
        mov eax, [tenth]
        shl eax, 3
        cmp [passed], eax
        jb .next

report:
        mov eax, esi
        mov si, worst_text
        call say_us
        mov eax, edi
        mov si, stolen_text
        call say_us
        mov si, end_text
        call print
        jmp window

; The ACPI timer in eax and the time stamp counter's low half in ebx, read without a stall between.
read_both:
        rdtsc
        mov ebx, eax
        mov dx, PM_TIMER
        in eax, dx
        mov ecx, eax
        rdtsc
        sub eax, ebx
        cmp eax, QUICK
        ja read_both
        mov eax, ecx
        ret

; The text at SI and the cycles in eax as microseconds.
say_us:
        push eax
        call print
        pop eax
        mov edx, 100000
        mul edx
        div dword [tenth]
.digits:                                ; the highest first
        xor edx, edx
        mov ecx, 10
        div ecx
        push dx
        test eax, eax
        jz .last
        call .digits
.last:  pop ax
        add al, '0'
        jmp put

worst_text:  db "worst ", 0
stolen_text: db " stolen ", 0
end_text:    db 13, 10, 0
tenth    equ 0x600
least    equ 0x604
passed   equ 0x608
        END
