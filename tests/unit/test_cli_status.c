/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status for people, from whole and from damaged JSON. */
#include "cli/status_text.h"
#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include <cmocka.h>

#define NOW 274600.0

/* ' for " */
static const char sample[] =
	"{'name':'mediapc','state':'running','since':1000,'pid':4711,'qemu':'7.2.22','accel':'kvm',"
	"'user':'vfio-sup-qemu','vcpus':["
	"{'index':0,'name':'vcpu 0','tid':1,'cpus_wanted':'2','cpus_actual':'2','policy_wanted':"
	"'fifo','policy_actual':'fifo','priority_wanted':1,'priority_actual':1,'nice_actual':-20,"
	"'cgroup':'/vfiosup/m/vcpus','cgroup_wanted':'vfiosup/m/vcpus','placed':true,"
	"'wait_share_10s':0,'worst_wait_seconds':0.0001},"
	"{'index':1,'name':'vcpu 1','tid':2,'cpus_wanted':'3','cpus_actual':'0-1','policy_wanted':"
	"'fifo','policy_actual':'other','priority_wanted':1,'priority_actual':0,'nice_actual':0,"
	"'cgroup':'/user','cgroup_wanted':'vfiosup/m/vcpus','placed':false,"
	"'wait_share_10s':0.031,'worst_wait_seconds':0.012}],"
	"'threads':["
	"{'role':'emulator','name':'emulator','cpus_wanted':'0-1','cpus_actual':'0-1',"
	"'policy_wanted':'other','policy_actual':'other','nice_wanted':0,'nice_actual':0,"
	"'placed':true,'wait_share_10s':0.008,'worst_wait_seconds':0.0031},"
	"{'role':'iothread','name':'io0','cpus_wanted':'0-1','cpus_actual':'0-1','policy_wanted':"
	"'other','policy_actual':'other','placed':true,'wait_share_10s':0.003,"
	"'worst_wait_seconds':0.002},"
	"{'role':'worker','name':'worker','cpus_wanted':'0-1','cpus_actual':'0-1','policy_wanted':"
	"'other','policy_actual':'other','placed':true,'wait_share_10s':0},"
	"{'role':'worker','name':'worker','cpus_wanted':'0-1','cpus_actual':'0-1','policy_wanted':"
	"'other','policy_actual':'other','placed':true},"
	"{'role':'worker','name':'worker','cpus_wanted':'0-1','cpus_actual':'2','policy_wanted':"
	"'other','policy_actual':'other','placed':false},"
	"{'role':'kvm-pit','name':'kvm-pit','cpus_wanted':'0-1','cpus_actual':'0-1',"
	"'policy_wanted':'other','policy_actual':'other','placed':true}],"
	"'isolation':{'wanted':'auto','actual':'shield','cpus':'2-3','reason':"
	"'partition needs kernel 6.7, here 6.1','housekeeping':'0-1'},"
	"'policy_reason':'fifo: isolated','place_reason':'',"
	"'irqs':[{'irq':57,'name':'vfio-msix[0](0000:01:00.0)','cpus_wanted':'0-1','cpus_actual':"
	"'0','state':'ok'}],"
	"'devices':[{'host':'0000:01:00.0','driver':'vfio-pci','group':6,'interrupts':'msix',"
	"'power':'D0'}],"
	"'drift':{'open':[{'kind':'affinity','what':'vcpu 1: affinity 0-1, wanted "
	"3','since':274560,"
	"'reason':'something keeps changing it','fix':'find it'}],'detected':3,'repaired':3,"
	"'unfixable':[],'repaired_by_kind':{'affinity':2,'policy':1}},"
	"'restarts':1,'last_exit':{'reason':'crash','at':273720},'alarms':[{'kind':'io-error',"
	"'what':'a disk failed','since':0,'reason':'','fix':''}],"
	"'pending':['memory 8G -> 10G'],"
	"'feels':{'worst_wait_10s_seconds':0.0002,'worst_wait_seconds':0.0011,'stalls':2,"
	"'last_stall':273720,'stall_limit_seconds':0.001},"
	"'start':{'greeting_seconds':0.1,'placed_seconds':0.12,'cont_seconds':0},"
	"'stop':{'rung':'powerdown','presses':1}}";

static const char sample_text[] =
	"mediapc  RUNNING 3 d 4 h, 2 things to look at           "
	"QEMU 7.2.22 kvm, pid 4711, vfio-sup-qemu\n"
	"feels    worst wait 0.2 ms in 10 s, 1.1 ms since start; 2 stalls over 1 ms (last 04:02)\n"
	"stop     powerdown, power button pressed 1 time\n"
	"THREAD       WANTED         ACTUAL               WAITED 10 s     WORST\n"
	"vcpu 0       CPU 2 fifo 1   CPU 2 fifo 1              0.00 %    0.1 ms\n"
	"! vcpu 1     CPU 3 fifo 1   0-1 other in /user        3.10 %   12.0 ms\n"
	"io0          0-1            0-1                       0.30 %    2.0 ms\n"
	"emulator 4   0-1            0-1                       0.80 %    3.1 ms   "
	"main, 2 workers, kvm-pit\n"
	"! worker     0-1 other      CPU 2 other\n"
	"cpus     2-3 are this VM's alone (shield; partition needs kernel 6.7, here 6.1); "
	"host keeps 0-1\n"
	"policy   fifo: isolated\n"
	"devices  0000:01:00.0  vfio-pci  msix  D0  irq 57 on CPU 0\n"
	"start    greeting after 100.0 ms, all placed after 120.0 ms\n"
	"ended    crash at 04:02; 1 restart\n"
	"repaired 3: 2 affinity, 1 policy\n"
	"open     ! vcpu 1: affinity 0-1, wanted 3: something keeps changing it (for 40 s)\n"
	"           fix: find it\n"
	"alarms   ! a disk failed\n"
	"pending  memory 8G -> 10G\n";

static json_t *json_of(const char *text)
{
	char *copy AUTO_FREE = strdup(text);
	json_error_t error;

	for (char *at = copy; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	json_t *json = json_loads(copy, JSON_DECODE_ANY, &error);
	if (!json)
		fail_msg("%s: %s", copy, error.text);
	return json;
}

static void assert_text(const char *json, const char *want)
{
	struct strbuf text AUTO_STRBUF = { 0 };
	json_t *vm = json_of(json);

	status_vm_text(vm, NOW, &text);
	assert_string_equal(text.text, want);
	json_decref(vm);
}

static void test_sample(void **state)
{
	(void)state;
	assert_text(sample, sample_text);
}

static void test_lines(void **state)
{
	static const char *const cases[][2] = {
		{ "{}", "?  STATE UNKNOWN\n" },
		{ "[]", "?  STATE UNKNOWN\n" },
		{ "null", "?  STATE UNKNOWN\n" },
		{ "{'name':'a','state':'running','since':274590,'drift':{}}",
			"a  RUNNING 10 s, healthy\nrepaired 0        open: nothing\n" },
		{ "{'name':'a','state':'stopped','since':1,'last_exit':{'reason':'guest-shutdown'}"
		  "}",
			"a  STOPPED\nended    guest-shutdown\n" },
		{ "{'name':'a','state':'stopped','last_exit':'crash'}",
			"a  STOPPED\nended    crash\n" },
		{ "{'name':'a\\u001b[2J','state':'fa\\u0007iled\\n'}", "a?[2J  FA?ILED?\n" },
		{ "{'name':'a','state':'paused','since':1,'state_since':274590}",
			"a  PAUSED 10 s\n" },
		{ "{'name':'a','state':'stopped','isolation':{'cpus':'3','actual':'off','reason':'"
		  "no'}}",
			"a  STOPPED\ncpus     3 is this VM's, others run there too (no)\n" },
		{ "{'name':'a','state':'stopped','isolation':{'cpus':'3','actual':'off'}}",
			"a  STOPPED\ncpus     3 is this VM's, others run there too\n" },
		{ "{'name':'a','state':'stopped','place_reason':'one CPU too few'}",
			"a  STOPPED\nplace    one CPU too few\n" },
		{ "{'name':'a','state':'stopped','drift':{'unfixable':[{'kind':'policy'}]}}",
			"a  STOPPED\nrepaired 0\nlasting  ! policy\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_text(cases[i][0], cases[i][1]);
}

/* Each member of the JSON, at any depth, in turn: gone, or of each other type. */
static void damage(json_t *whole, json_t *part, size_t *count);

static void try_all(json_t *whole, size_t *count)
{
	struct strbuf text AUTO_STRBUF = { 0 };
	json_t *overview = json_pack("{s:O, s:[O, O]}", "host", whole, "vms", whole, whole);

	status_vm_text(whole, NOW, &text);
	status_overview_text(overview, NOW, &text);
	assert_false(text.failed);
	assert_null(strpbrk(text.text, "\a\x1b"));
	assert_in_range(status_vm_exit(whole), 0, 3);
	assert_in_range(status_overview_exit(overview), 0, 1);
	json_decref(overview);
	++*count;
}

static const char *const damages[] = {
	"null",
	"true",
	"-7",
	"1e300",
	"18446744073709551",
	"''",
	"'\\u001b\\u0007'",
	"[]",
	"[null,{},'x',[1],{'name':7,'host':[],'what':{}}]",
	"{}",
	"{'open':7,'reason':1}",
};

static void damage_key(json_t *whole, json_t *object, const char *key, size_t *count)
{
	json_t *good = json_incref(json_object_get(object, key));

	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		json_object_set_new(object, key, json_of(damages[i]));
		try_all(whole, count);
	}
	json_object_del(object, key);
	try_all(whole, count);
	json_object_set_new(object, key, good);
	damage(whole, good, count);
}

static void damage(json_t *whole, json_t *part, size_t *count)
{
	struct strlist keys AUTO_STRLIST = { 0 };
	const char *key;
	json_t *value;
	size_t i;

	json_array_foreach(part, i, value) damage(whole, value, count);
	/* What is taken out and put back comes last, and would come again. */
	json_object_foreach(part, key, value) strlist_add(&keys, key);
	for (i = 0; i < keys.count; i++)
		damage_key(whole, part, keys.items[i], count);
}

static void test_damaged(void **state)
{
	json_t *whole = json_of(sample);
	size_t count = 0;

	(void)state;
	damage(whole, whole, &count);
	assert_true(count > 1000);
	json_decref(whole);
}

static void test_exit(void **state)
{
	static const struct {
		const char *json;
		int status;
	} cases[] = {
		{ "{'state':'running','drift':{'open':[],'unfixable':[]},'alarms':[]}", 0 },
		{ "{'state':'running'}", 0 },
		{ "{'state':'running','drift':{'open':[{}]}}", 1 },
		{ "{'state':'running','drift':{'unfixable':[{}]}}", 1 },
		{ "{'state':'running','alarms':[{}]}", 1 },
		{ "{'state':'asleep'}", 0 },
		{ "{'state':'paused'}", 0 },
		{ "{'state':'paused','alarms':[{}]}", 1 },
		{ "{'state':'stopping'}", 0 },
		{ "{'state':'degraded'}", 1 },
		{ "{'state':'unresponsive'}", 1 },
		{ "{'state':'adopting'}", 1 },
		{ "{'state':'stopped'}", 3 },
		{ "{'state':'preparing'}", 3 },
		{ "{'state':'starting'}", 3 },
		{ "{'state':'backoff'}", 3 },
		{ "{'state':'failed','alarms':[{}]}", 3 },
		{ "{'state':'levitating'}", 1 },
		{ "{}", 1 },
		{ "7", 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *vm = json_of(cases[i].json);

		if (status_vm_exit(vm) != cases[i].status)
			fail_msg("%s: %d", cases[i].json, status_vm_exit(vm));
		json_decref(vm);
	}
}

static void test_overview(void **state)
{
	static const struct {
		const char *json, *text;
		int status;
	} cases[] = {
		{ "{'host':{'cgroups':'v1','kernel':'6.1','owner':true,'holder':''},'vms':["
		  "{'name':'a','state':'running','since':274540,'qemu':'7.2','accel':'kvm','pid':5,"
		  "'feels':{'worst_wait_10s_seconds':0.0002}},{'name':'bb','state':'stopped'}]}",
			"a    RUNNING 1 min, healthy   worst wait 0.2 ms in 10 s   QEMU 7.2 kvm, "
			"pid 5\n"
			"bb   STOPPED\n"
			"host: cgroups v1, kernel 6.1\n"
			"one in full: vfio-sup status NAME; all verbs: vfio-sup help\n",
			0 },
		{ "{'host':{'cgroups':'v2','kernel':'6.1','owner':false,'holder':'pid\\n7'},'vms':["
		  "]}",
			"No VM is here.\n"
			"host: cgroups v2, kernel 6.1; host-wide settings are another supervisor's "
			"(pid?7)\n"
			"start one: vfio-sup run FILE; all verbs: vfio-sup help\n",
			0 },
		{ "{'host':{'cgroups':'v2','kernel':'6.1','sleep':{'inhibitor':'held'}},'vms':[]}",
			"No VM is here.\n"
			"host: cgroups v2, kernel 6.1; it does not sleep meanwhile\n"
			"start one: vfio-sup run FILE; all verbs: vfio-sup help\n",
			0 },
		{ "{'host':{'cgroups':'v2','kernel':'6.1','sleep':{'inhibitor':'failed',"
		  "'reason':'no bus'}},'vms':[]}",
			"No VM is here.\n"
			"host: cgroups v2, kernel 6.1; its sleep cannot be blocked (logind: no "
			"bus)\n"
			"start one: vfio-sup run FILE; all verbs: vfio-sup help\n",
			0 },
		{ "{'vms':[{'name':'a','state':'failed'}]}",
			"a   FAILED\none in full: vfio-sup status NAME; all verbs: vfio-sup help\n",
			1 },
		{ "{}", "No VM is here.\nstart one: vfio-sup run FILE; all verbs: vfio-sup help\n",
			1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct strbuf text AUTO_STRBUF = { 0 };
		json_t *overview = json_of(cases[i].json);

		status_overview_text(overview, NOW, &text);
		assert_string_equal(text.text, cases[i].text);
		assert_int_equal(status_overview_exit(overview), cases[i].status);
		json_decref(overview);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sample),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_exit),
		cmocka_unit_test(test_overview),
	};

	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
