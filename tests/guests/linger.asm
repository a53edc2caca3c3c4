; SPDX-License-Identifier: GPL-2.0-or-later
; As acpi.asm, and takes 10 s to power off: a guest that has things to finish.
%define LINGER 182
%include "tests/guests/acpi.asm"
