# SPDX-License-Identifier: GPL-2.0-or-later
# make all check lint bench install clean; SANITIZE=1 for ASan and UBSan in a build folder of its own.
prefix ?= /usr/local
CC ?= cc
BUILD := build$(if $(SANITIZE),-sanitize)
LIBS  := jansson libconfig libmicrohttpd libsystemd libpci libcgroup

CPPFLAGS += -D_GNU_SOURCE -I. -DVERSION='"$(shell cat VERSION)"'
CFLAGS   ?= -O2 -g
WARN     := -Wall -Wextra -Wshadow -Wconversion -Wimplicit-fallthrough -Werror
ALL_CFLAGS := -std=gnu11 -pthread $(WARN) $(CFLAGS) $(shell pkg-config --cflags $(LIBS))
LDLIBS   += $(shell pkg-config --libs $(LIBS)) -lev -lm
ifdef SANITIZE
ALL_CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
endif

ROOMS  := base model config plan host cgroups qmp metrics supervisor cli
SRCS   := $(filter-out cli/main.c,$(foreach r,$(ROOMS),$(wildcard $(r)/*.c)))
OBJS   := $(SRCS:%.c=$(BUILD)/%.o)
LIB    := $(BUILD)/libvfiosup.a
UNIT   := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/test_*.c))
BENCH  := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bench/*.c))
PEERS  := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/peers/*.c))
GUESTS := $(patsubst %.asm,$(BUILD)/%.img,$(wildcard tests/guests/*.asm))

all: $(BUILD)/vfio-sup

$(BUILD)/vfio-sup: $(BUILD)/cli/main.o $(LIB)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(LIB): $(OBJS)
	rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/%.o: %.c VERSION
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(LIB)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka $(LDLIBS)

$(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o $(LIB)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/tests/peers/%: $(BUILD)/tests/peers/%.o $(LIB)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/tests/guests/%.img: tests/guests/%.asm tests/guests/common.inc
	@mkdir -p $(@D)
	nasm -f bin -o $@ $<

unit: $(UNIT)
guests: $(GUESTS)
peers: $(PEERS)

check: all unit guests peers $(BENCH)
	tests/run $(BUILD)

lint:
	tests/lint

bench: all guests $(BENCH)
	tests/bench/run $(BUILD)

install: all
	install -Dm755 $(BUILD)/vfio-sup $(DESTDIR)$(prefix)/sbin/vfio-sup
	install -Dm644 -t $(DESTDIR)$(prefix)/share/man/man8 docs/vfio-sup.8
	install -Dm644 -t $(DESTDIR)$(prefix)/share/man/man5 docs/vfio-sup.conf.5

clean:
	rm -rf build build-sanitize

.PHONY: all unit guests peers check lint bench install clean
.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
