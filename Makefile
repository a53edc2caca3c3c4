# SPDX-License-Identifier: GPL-2.0-or-later
# make all check lab lint bench install uninstall clean; SANITIZE=1 for ASan and UBSan in a build folder of its own.
prefix ?= /usr/local
sbindir ?= $(prefix)/sbin
libdir ?= $(prefix)/lib
mandir ?= $(prefix)/share/man
docdir ?= $(prefix)/share/doc/vfio-sup
sysconfdir ?= /etc
unitdir ?= $(libdir)/systemd/system
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

lab:
	tests/lab/run

lint:
	tests/lint

bench: all guests $(BENCH)
	tests/bench/run $(BUILD)

# What is in dist/ has the paths of prefix=/usr: they are put right on the way. vfio-sup.conf and vms/*.conf are the
# operator's and are not touched.
UNITS := vfio-sup.service vfio-sup-guests.service vfio-sup-lease.path vfio-sup-lease.service vfiosup.slice

install: all
	install -Dm755 $(BUILD)/vfio-sup $(DESTDIR)$(sbindir)/vfio-sup
	install -Dm644 -t $(DESTDIR)$(mandir)/man8 docs/vfio-sup.8
	install -Dm644 -t $(DESTDIR)$(mandir)/man5 docs/vfio-sup.conf.5
	install -Dm644 -t $(DESTDIR)$(docdir) README.md dist/vfio-sup.conf
	install -d $(DESTDIR)$(unitdir)
	for unit in $(UNITS); do \
		sed 's,/usr/sbin/vfio-sup,$(sbindir)/vfio-sup,g' dist/$$unit \
			>$(DESTDIR)$(unitdir)/$$unit.new && \
		chmod 644 $(DESTDIR)$(unitdir)/$$unit.new && \
		mv $(DESTDIR)$(unitdir)/$$unit.new $(DESTDIR)$(unitdir)/$$unit || exit 1; \
	done
	install -Dm644 dist/vfio-sup.sysusers $(DESTDIR)$(libdir)/sysusers.d/vfio-sup.conf
	install -Dm644 dist/vfio-sup.tmpfiles $(DESTDIR)$(libdir)/tmpfiles.d/vfio-sup.conf
	install -Dm644 -t $(DESTDIR)$(libdir)/udev/rules.d dist/60-vfio-sup.rules
	install -Dm644 dist/needrestart.conf $(DESTDIR)$(sysconfdir)/needrestart/conf.d/vfio-sup.conf
	install -dm755 $(DESTDIR)$(sysconfdir)/vfio-sup $(DESTDIR)$(sysconfdir)/vfio-sup/vms

# The VMs' files stay, and so does what runs.
uninstall:
	rm -f $(DESTDIR)$(sbindir)/vfio-sup
	rm -f $(DESTDIR)$(mandir)/man8/vfio-sup.8 $(DESTDIR)$(mandir)/man5/vfio-sup.conf.5
	rm -f $(DESTDIR)$(docdir)/README.md $(DESTDIR)$(docdir)/vfio-sup.conf
	rm -f $(addprefix $(DESTDIR)$(unitdir)/,$(UNITS))
	rm -f $(DESTDIR)$(libdir)/sysusers.d/vfio-sup.conf $(DESTDIR)$(libdir)/tmpfiles.d/vfio-sup.conf
	rm -f $(DESTDIR)$(libdir)/udev/rules.d/60-vfio-sup.rules
	rm -f $(DESTDIR)$(sysconfdir)/needrestart/conf.d/vfio-sup.conf
	-rmdir --ignore-fail-on-non-empty $(DESTDIR)$(docdir) $(DESTDIR)$(sysconfdir)/vfio-sup/vms \
		$(DESTDIR)$(sysconfdir)/vfio-sup

clean:
	rm -rf build build-sanitize

.PHONY: all unit guests peers check lab lint bench install uninstall clean
.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
