; SPDX-License-Identifier: GPL-2.0-or-later
; Idles and never looks at the power button: a guest that `stop` alone cannot end.
%include "tests/guests/common.inc"
        BEGIN
        SAY "ignore: up"
idle:   hlt
        jmp idle
        END
