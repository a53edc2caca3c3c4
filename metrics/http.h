/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef METRICS_HTTP_H
#define METRICS_HTTP_H

#include "base/err.h"
#include "base/source.h"
#include "base/strbuf.h"

/*
 * GET (and HEAD) /metrics and / over libmicrohttpd on its external epoll descriptor, driven as a
 * source in the loop. Other paths 404, other methods 405; at most 64 connections, 8 KiB a
 * connection, 10 s idle.
 */
struct http;

/* Fills in the page for one scrape. */
typedef void http_page_fn(void *arg, struct strbuf *text);

/* `listen`: "127.0.0.1:9848", "[::1]:9848", port 0 takes a free one. -EADDRINUSE and others in words
 * with the fix. */
int http_open(const char *listen, http_page_fn *metrics, void *arg, struct http **ret_http,
	struct err *err);
void http_close(struct http *http);

/* "127.0.0.1:9848" as bound. */
const char *http_address(const struct http *http);

extern const struct source_ops http_source;

#endif
