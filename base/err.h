/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_ERR_H
#define BASE_ERR_H

/*
 * An error in words, written by the one place that knows both what was wanted and what the kernel
 * said. `text` is always there and one line long; `said`, `why` and `fix` may be empty. A person
 * sees them as the lines below "... did not start": said = "QEMU said", why, fix (design §6).
 */
struct err {
	int code; /* positive errno */
	char text[512];
	char said[512];
	char why[512];
	char fix[512];
};

/* Sets code and text, empties the rest, returns -code. `err` may be NULL: then only returns. */
int err_set(struct err *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Adds the reason, the cure, or the words of another program. Nothing happens if err is NULL. */
void err_why(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
void err_fix(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
void err_said(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "words: " in front of the text; the code stays. Returns -err->code, or -EINVAL if NULL. */
int err_prefix(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
