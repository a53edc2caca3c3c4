/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOST_KVM_GUEST_H
#define HOST_KVM_GUEST_H

#include <stdint.h>

/*
 * A guest of about 100 bytes that does what every guest does in its first moments. It says how far it
 * has come by writing one letter after the other to GUEST_PORT, and halts:
 *   R  real mode             P  protected mode
 *   S  an SSE2 addition gave what it should (a KVM that interprets guests stops here)
 *   L  a loop of a million turns
 */
enum { GUEST_ADDRESS = 0x1000, GUEST_PORT = 0x80, GUEST_MEMORY = 0x10000 };

extern const uint8_t kvm_guest_code[];
extern const uint32_t kvm_guest_length;

#endif
