/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/iommu_text.h"
#include "cli/text.h"
#include "base/cleanup.h"
#include "plan/iommu.h"

#include <string.h>

static void add_name(const struct iommu_device *device, struct strbuf *text)
{
	const struct pci_function *function = &device->function;

	if (device->vendor_name[0])
		strbuf_addf(text, "%s ", device->vendor_name);
	strbuf_addf(text, "%s [%04x:%04x]",
		device->vendor_name[0] && device->device_name[0] ? device->device_name : "Device",
		function->vendor_id, function->device_id);
}

static void add_function(const struct iommu_device *device, bool domains, struct strbuf *text)
{
	const struct pci_function *function = &device->function;

	if (domains)
		strbuf_addf(text, "%04x:", function->domain);
	strbuf_addf(text, "%02x:%02x.%x %s [%04x]: ", function->bus, function->device,
		function->function, device->class_name[0] ? device->class_name : "Class",
		device->class_id);
	add_name(device, text);
	if (device->revision)
		strbuf_addf(text, " (rev %02x)", device->revision);
}

void iommu_text(const struct iommu *iommu, struct strbuf *text)
{
	for (size_t i = 0; i < iommu->count; i++) {
		const struct iommu_device *device = &iommu->items[i];
		struct strbuf line AUTO_STRBUF = { 0 };

		strbuf_addf(&line, "IOMMU Group %u ", device->group);
		if (device->pci)
			add_function(device, iommu->domains, &line);
		else
			strbuf_addf(&line, "%s: no PCI device", device->address);
		text->failed |= line.failed;
		text_add_clean(text, line.text ? line.text : "");
		strbuf_add(text, "\n");
	}
}

static json_t *known(const char *text)
{
	return text[0] ? text_json(text) : json_null();
}

static json_t *hex(int digits, unsigned value)
{
	return json_sprintf("%0*x", digits, value);
}

static json_t *words_json(const char *words)
{
	json_t *list = json_array();
	size_t length;

	for (; *(words += strspn(words, " \n")); words += length) {
		length = strcspn(words, " \n");
		json_array_append_new(list, json_stringn(words, length));
	}
	return list;
}

static json_t *device_json(const struct iommu_device *device)
{
	const struct pci_function *function = &device->function;
	bool pci = device->pci;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "address",
		text_json(device->address), "class", known(device->class_name), "class_id",
		pci ? hex(4, device->class_id) : json_null(), "vendor", known(device->vendor_name),
		"vendor_id", pci ? hex(4, function->vendor_id) : json_null(), "device",
		known(device->device_name), "device_id",
		pci ? hex(4, function->device_id) : json_null(), "revision",
		pci ? hex(2, device->revision) : json_null(), "driver", known(device->driver),
		"reset_methods", words_json(device->reset_methods), "power_state",
		known(device->power_state));
}

static json_t *devices_json(const struct iommu *iommu, size_t first, size_t end)
{
	json_t *list = json_array();

	for (size_t i = first; i < end; i++)
		json_array_append_new(list, device_json(&iommu->items[i]));
	return list;
}

static json_t *group_json(const struct iommu *iommu, size_t first, size_t end)
{
	struct strlist needed AUTO_STRLIST = { 0 };
	json_t *list = json_array();

	if (iommu_needed(iommu, first, end, &needed) < 0) {
		json_decref(list);
		return NULL;
	}
	for (size_t i = 0; i < needed.count; i++)
		json_array_append_new(list, text_json(needed.items[i]));
	return json_pack("{s:I, s:b, s:o, s:o}", "number", (json_int_t)iommu->items[first].group,
		"viable", needed.count == 0, "needed", list, "devices",
		devices_json(iommu, first, end));
}

json_t *iommu_json(const struct iommu *iommu)
{
	json_t *groups = json_array();

	for (size_t first = 0, end; first < iommu->count; first = end) {
		end = iommu_group_end(iommu, first);
		if (json_array_append_new(groups, group_json(iommu, first, end)) < 0) {
			json_decref(groups);
			return NULL;
		}
	}
	return json_pack("{s:o}", "groups", groups);
}
