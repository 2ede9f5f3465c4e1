/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sets of addresses that user space fills (pyloader/monitors/addresses.py): those of this host, those in focus, and those
 * that are blocked. Each has a filter in front of it, so that a packet whose source is in none of them pays for a load
 * and not for a look-up. The filter needs no secret: who hits it by choice causes a look-up.
 */
#ifndef PYLOADER_ADDRESSES_BPF_H
#define PYLOADER_ADDRESSES_BPF_H

#include "clock.bpf.h"
#include "hash.bpf.h"

#define FILTER_BITS 4096

enum address_set {
	ADDRESSES_OWN,
	ADDRESSES_IN_FOCUS,
	ADDRESSES_BLOCKED,
	ADDRESS_SETS,
};

struct filter {
	__u64 words[FILTER_BITS / 64];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, ADDRESS_SETS);
	__type(key, __u32);
	__type(value, struct filter);
} address_filters SEC(".maps");

/* The values are the boot times (ns) at which the entries end; 0 is never. Of own addresses they are the interface. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct address);
	__type(value, __u64);
} own_addresses SEC(".maps"), focus SEC(".maps"), block_list SEC(".maps");

static __always_inline bool passes_filter(enum address_set set, const struct address *address)
{
	__u32 key = set;
	struct filter *filter = bpf_map_lookup_elem(&address_filters, &key);
	__u64 bit = address->high ^ address->low;

	bit ^= bit >> 32;
	bit ^= bit >> 12;
	return filter && filter->words[bit / 64 % (FILTER_BITS / 64)] >> (bit & 63) & 1;
}

static __always_inline bool is_current(const __u64 *end)
{
	return end && (!*end || *end > boot_time());
}

/* Whether an address belongs to the interface. Those of other interfaces may well come in where both are on one link. */
static __always_inline bool is_own(const struct address *address, __u32 interface)
{
	const __u64 *owner;

	if (!passes_filter(ADDRESSES_OWN, address))
		return false;
	owner = bpf_map_lookup_elem(&own_addresses, address);
	return owner && *owner == interface;
}

static __always_inline bool in_focus(const struct address *address)
{
	return passes_filter(ADDRESSES_IN_FOCUS, address) && is_current(bpf_map_lookup_elem(&focus, address));
}

static __always_inline bool is_blocked(const struct address *address)
{
	return network.blocking && passes_filter(ADDRESSES_BLOCKED, address) &&
	       is_current(bpf_map_lookup_elem(&block_list, address));
}

#endif
