/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <stddef.h>
#include <stdint.h>

/* Strict: the whole text is the value, no blanks, no sign where none makes sense. All return 0,
 * -EINVAL (no such thing) or -ERANGE (too large or outside the bounds), and leave *ret_value as it
 * was on failure. */

int num_parse_long(const char *text, long min, long max, long *ret_value);

/* Unsigned decimal, or hexadecimal with 0x. */
int num_parse_u64(const char *text, uint64_t *ret_value);

/* Bytes: digits with an optional suffix K, M, G, T (powers of 1024, either case). No suffix: bytes. */
int num_parse_size(const char *text, uint64_t *ret_bytes);

/* Nanoseconds: digits and a suffix, one of ns us ms s min h. The suffix is not optional, but 0 is. */
int num_parse_duration(const char *text, uint64_t *ret_ns);

/* "8G", "1536M", "10 ms" the short way: for messages. Return `text`. */
char *num_format_size(uint64_t bytes, char *text, size_t size);
char *num_format_duration(uint64_t ns, char *text, size_t size);

#endif
