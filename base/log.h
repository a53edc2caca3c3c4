/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum log_level {
	LOG_LEVEL_ERR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6
};

/*
 * One line on standard error, never more than 200 a second: what is dropped is counted and the
 * number is said when there is room again. With journal priorities on, each line begins with "<N>"
 * as sd-daemon(3) describes. `vm` names the VM it speaks of, NULL for the supervisor itself. Only the
 * main thread logs.
 */
void log_write(enum log_level level, const char *vm, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void log_err(const char *vm, const struct err *err); /* its text, why and fix, as one line */
void log_use_journal_priorities(void);
bool log_is_journal(void); /* standard error goes to the journal */
uint64_t log_dropped(void);

/* Who else gets the lines that speak of a VM, those that are dropped excepted. NULL: nobody. */
typedef void log_keep_fn(void *arg, enum log_level level, const char *vm, const char *words);
void log_keep(log_keep_fn *keep, void *arg);

#define log_error(vm, ...)   log_write(LOG_LEVEL_ERR, vm, __VA_ARGS__)
#define log_warning(vm, ...) log_write(LOG_LEVEL_WARNING, vm, __VA_ARGS__)
#define log_notice(vm, ...)  log_write(LOG_LEVEL_NOTICE, vm, __VA_ARGS__)
#define log_info(vm, ...)    log_write(LOG_LEVEL_INFO, vm, __VA_ARGS__)

#endif
