/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/listen.h"
#include "base/num.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

static bool is_address(const char *text, size_t length)
{
	char address[INET6_ADDRSTRLEN + 2];
	struct in6_addr binary;

	if (length >= sizeof(address))
		return false;
	memcpy(address, text, length);
	address[length] = '\0';
	if (address[0] != '[')
		return inet_pton(AF_INET, address, &binary) == 1;
	if (address[length - 1] != ']')
		return false;
	address[length - 1] = '\0';
	return inet_pton(AF_INET6, address + 1, &binary) == 1;
}

int listen_check(const char *text, struct err *err)
{
	const char *colon = strrchr(text, ':');
	long port;

	if (!colon || colon == text) {
		err_set(err, EINVAL, "\"%s\" is not ADDRESS:PORT", text);
		err_fix(err,
			"listen = \"127.0.0.1:%s\"; for this machine alone, \"0.0.0.0:%s\" for all",
			colon ? colon + 1 : "9848", colon ? colon + 1 : "9848");
		return -EINVAL;
	}
	if (num_parse_long(colon + 1, 0, 65535, &port) < 0) {
		err_set(err, EINVAL, "\"%s\" is not a port from 0 to 65535", colon + 1);
		err_fix(err, "for example listen = \"127.0.0.1:9848\";");
		return -EINVAL;
	}
	if (!is_address(text, (size_t)(colon - text))) {
		err_set(err, EINVAL, "\"%.*s\" is not a numeric address", (int)(colon - text),
			text);
		err_fix(err, "for example listen = \"127.0.0.1:%ld\"; or \"[::1]:%ld\"", port,
			port);
		return -EINVAL;
	}
	return 0;
}
