/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_SOCK_H
#define BASE_SOCK_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Unix stream sockets named relative to a directory's descriptor, so that the 107 bytes of sun_path
 * never matter and nobody can swap the directory. All descriptors are close-on-exec and non-blocking.
 */

/* Binds `name` in dirfd with permission bits `mode`, replacing a socket that is there (-EEXIST if it
 * is anything else); not yet listening. Descriptor or -errno. */
int sock_bind_at(int dirfd, const char *name, mode_t mode);

/* Connects; -EAGAIN when the backlog is full. Descriptor or -errno. */
int sock_connect_at(int dirfd, const char *name);

/* Who is at the other end. 0 or -errno. */
struct sock_peer {
	pid_t pid;
	uid_t uid;
	gid_t gid;
};
int sock_peer(int fd, struct sock_peer *ret_peer);

#endif
