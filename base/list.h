/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* A doubly linked ring; the head is a link of its own. Name a link after the list it is in and its
 * owner ("struct list link; // qmp.requests"). */
struct list {
	struct list *next, *prev;
};

static inline void list_init(struct list *head)
{
	head->next = head->prev = head;
}

static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}

/* Adds at the end. */
static inline void list_add(struct list *head, struct list *link)
{
	link->prev = head->prev;
	link->next = head;
	head->prev->next = link;
	head->prev = link;
}

static inline void list_remove(struct list *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	link->next = link->prev = link;
}

#define list_entry(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

/* Walks over the links; the current one may be removed. */
#define list_for_each(link, head)                                                                  \
	for (struct list *link = (head)->next, *link##_next = link->next; link != (head);          \
		link = link##_next, link##_next = link->next)

#endif
