/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is known of sources and of networks of sources (24 bits of IPv4, 64 of IPv6), in tables that cannot be filled up.
 *
 * A source belongs to one bucket, by a keyed hash. The bucket has a few ways, each with the tag of the source whose entry
 * it is, and a few candidates: tags of sources that sent one packet. Only the second packet of a candidate gets it an
 * entry, so a flood from addresses that are never the same touches one bucket per packet and no entry. Half of the
 * candidates give way to every new one, half to one in sixteen while they are young: whoever comes back within
 * milliseconds, or slowly and often, gets in even during a flood.
 *
 * When all ways are taken the entry that matters least goes: the one with the lowest salience, less one for each minute
 * it was idle, and among equals the one that was idle for longest. Sources that send their two packets and nothing else
 * push out each other, never one that scans.
 *
 * Counters are added to atomically. Bits of the bitmaps are not: two CPUs may set two bits of one byte at once, and one
 * is lost. The same two packets then count twice at worst.
 */
#ifndef PYLOADER_SOURCES_BPF_H
#define PYLOADER_SOURCES_BPF_H

#include "hash.bpf.h"
#include "salience.bpf.h"
#include "traffic.bpf.h"

#define BPF_F_MMAPABLE (1 << 10) /* include/uapi/linux/bpf.h */

#define BUCKETS 4096
#define WAYS 8
#define NO_WAY WAYS
#define CANDIDATES 4
#define CANDIDATE_TIME 2 /* seconds */
#define MINUTE 64	 /* seconds, nearly */

/* Times are in units of 2**30 ns. */
struct bucket {
	__u32 tags[WAYS];
	__u32 seen[WAYS];
	__u32 passing[CANDIDATES];
	__u32 waiting[CANDIDATES];
	__u16 waiting_since[CANDIDATES];
	__u8 worth[WAYS];
	__u8 unused[16];
};

struct source {
	struct address address;
	__u64 first_seen; /* boot-time clock */
	__u64 bytes;
	__u64 addresses;
	__u32 counts[8]; /* by `Counter`, up to ANOMALIES */
	__u32 anomaly_kinds;
	__u32 salience;
	__u16 port_bits;
	__u8 address_bits;
	__u8 prefix;
	__u8 ports[32];
	__u8 unused[12];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE); /* which puts the first value at the beginning of a page */
	__uint(max_entries, BUCKETS);
	__type(key, __u32);
	__type(value, struct bucket);
} buckets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, BUCKETS *WAYS);
	__type(key, __u32);
	__type(value, struct source);
} sources SEC(".maps");

/* What one packet adds, worked out once for its source and its network. */
struct contribution {
	__u32 counter; /* of the six that every packet falls into */
	__u32 anomalies;
	__u8 completed;
	__u8 opens; /* whether its destination counts as one that was tried */
	__u8 port_bit;
	__u8 address_bit;
};

/* Where a search through a bucket has come to; in memory for the reason given in README.md. */
struct search {
	__u32 way;
	__u32 entry;
	__u64 least;
};

static __always_inline void find_way(const struct bucket *bucket, __u32 tag, struct search *search)
{
	search->way = NO_WAY;
	for (int way = 0; way < WAYS; way++) {
		if (bucket->tags[way] == tag) {
			search->way = way;
			break;
		}
	}
}

/*
 * Whether this is the second packet; the first one makes it a candidate. A candidate stands in two places: in one that every
 * packet takes, for those who come back at once, and in one that is kept for a while even in a flood.
 */
static __always_inline bool returns(struct bucket *bucket, __u64 hash, __u32 tag, __u32 second, __u64 chance)
{
	__u32 at = hash >> 20 & (CANDIDATES - 1);

	if (bucket->passing[at] == tag || bucket->waiting[at] == tag) {
		bucket->passing[at] = 0;
		bucket->waiting[at] = 0;
		return true;
	}
	bucket->passing[at] = tag;
	if ((__u16)((__u16)second - bucket->waiting_since[at]) >= CANDIDATE_TIME || !(chance & 15)) {
		bucket->waiting[at] = tag;
		bucket->waiting_since[at] = second;
	}
	return false;
}

static __always_inline void find_victim(const struct bucket *bucket, __u32 second, struct search *search)
{
	search->way = 0;
	search->least = ~0ULL;
	for (int way = 0; way < WAYS; way++) {
		__u32 minutes = (second - bucket->seen[way]) / MINUTE, worth = bucket->worth[way];
		__u64 cost = (__u64)(worth > minutes ? worth - minutes : 0) << 32 | bucket->seen[way];

		if (!bucket->tags[way])
			cost = 0;
		if (cost < search->least) {
			search->least = cost;
			search->way = way;
		}
	}
}

static __always_inline bool is_at(const struct source *source, const struct address *address, __u8 prefix)
{
	return source->address.low == address->low && source->address.high == address->high &&
	       source->prefix == prefix;
}

static __always_inline bool has_doubled(__u64 before, __u64 after)
{
	return (before ^ after) > before;
}

/* Counts that are smaller are nothing to speak of. */
static __always_inline bool is_told_from(__u64 count, enum counter counter)
{
	switch (counter) {
	case COUNTER_HANDSHAKES:
	case COUNTER_ANOMALIES:
		return true;
	case COUNTER_UDP:
	case COUNTER_OTHER:
		return count >= 16;
	case COUNTER_BYTES:
		return count >= 1 << 20;
	default:
		return count >= 4;
	}
}

static __always_inline __u32 doubled(__u64 before, __u64 after, enum counter counter)
{
	return has_doubled(before, after) && is_told_from(after, counter) ? 1u << counter : 0;
}

/* Adds one; the count stops at the largest number. */
static __always_inline __u32 add_one(struct source *source, __u32 counter, bool atomically)
{
	volatile __u32 *count = &source->counts[counter & 7];
	__u32 before = *count;

	if (before == ~0u)
		return 0;
	if (atomically)
		__atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
	else
		*count = before + 1;
	return doubled(before, *count, counter);
}

static __always_inline __u32 add_destination(struct source *source, const struct contribution *packet)
{
	__u8 *byte = &source->ports[packet->port_bit / 8 & 31];
	__u8 bit = 1 << packet->port_bit % 8;
	__u64 address = 1ULL << (packet->address_bit & 63);
	__u32 counters = 0;

	if (!(*byte & bit)) {
		*byte |= bit;
		source->port_bits++;
		counters |= doubled(source->port_bits - 1, source->port_bits, COUNTER_PORTS);
	}
	if (!(source->addresses & address)) {
		source->addresses |= address;
		source->address_bits++;
		counters |= doubled(source->address_bits - 1, source->address_bits, COUNTER_ADDRESSES);
	}
	return counters;
}

/*
 * Adds a packet to an entry; returns which counters have doubled. An atomic addition waits for everything before it, so
 * there is one, at the end.
 */
static __always_inline __u32 contribute(struct source *source, const struct contribution *packet, __u32 length,
					bool atomically)
{
	__u64 before = source->bytes;
	__u32 counters;

	source->bytes = before + length;
	counters = doubled(before, before + length, COUNTER_BYTES);
	if (packet->completed)
		counters |= add_one(source, COUNTER_HANDSHAKES, atomically);
	if (packet->anomalies) {
		source->anomaly_kinds |= packet->anomalies;
		counters |= add_one(source, COUNTER_ANOMALIES, atomically);
	}
	if (packet->opens)
		counters |= add_destination(source, packet);
	return counters | add_one(source, packet->counter, atomically);
}

/* The entry of an address, if it has one or now gets one. `search` remembers its way. */
static __always_inline struct source *find_source(struct bucket *bucket, struct search *search,
						  const struct address *address, __u8 prefix, __u64 hash, __u64 now,
						  struct totals *totals)
{
	__u32 tag = (__u32)(hash >> 32) | 1, second = now >> 30;
	struct source *source;
	bool admitted = false;

	find_way(bucket, tag, search);
	if (search->way == NO_WAY) {
		if (!returns(bucket, hash, tag, second, (totals->counts[TRAFFIC_PACKETS] * network.key[1]) >> 60))
			return NULL;
		find_victim(bucket, second, search);
		admitted = true;
	}
	search->entry = (hash % BUCKETS) * WAYS + search->way;
	source = bpf_map_lookup_elem(&sources, &search->entry);
	if (!source)
		return NULL;

	__u32 way = search->way & (WAYS - 1);

	if (admitted) {
		totals->counts[TRAFFIC_SOURCES_ADMITTED]++;
		if (bucket->tags[way])
			totals->counts[TRAFFIC_SOURCES_EVICTED]++;
		*source = (struct source){
			.address = *address,
			.prefix = prefix,
			.first_seen = boot_time(),
		};
		bucket->worth[way] = 0;
		bucket->tags[way] = tag;
	} else if (!is_at(source, address, prefix)) {
		return NULL;
	}
	if (bucket->seen[way] != second)
		bucket->seen[way] = second;
	return source;
}

#endif
