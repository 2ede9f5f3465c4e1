// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The network monitor: every packet that comes in, in the order of what it costs.
 *
 * Of all packets totals are kept for each CPU, of those who send more than one packet an entry each. User space is told of
 * little: new flows, packets that no honest stack sends, and a source whenever one of its counters has doubled, as far as
 * they are salient and their second has room. So a flood of any rate gives a handful of records.
 *
 * Tables are arrays with places by a keyed hash. They have their full size from the start, and what is in them is replaced,
 * never added to. pyloader/monitors/network.py says what user space decides.
 */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "addresses.bpf.h"
#include "deliver.bpf.h"
#include "dissect.bpf.h"
#include "flows.bpf.h"
#include "fragments.bpf.h"
#include "salience.bpf.h"
#include "sources.bpf.h"
#include "traffic.bpf.h"

/* Whoever sends with such an address has another one, and nothing is kept of this one. */
#define LIES (1u << ANOMALY_BAD_SOURCE | 1u << ANOMALY_LAND | 1u << ANOMALY_OWN_SOURCE)

/* What each CPU works with. */
struct scratch {
	struct packet packet;
	struct contribution contribution;
	struct search search;
	__u64 now;
	__u64 hash;
	__s64 salience;
	struct allowance flows;
	struct allowance focused_flows;
	struct allowance summaries;
	struct allowance anomalies[ANOMALY_COUNT];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

/*
 * Functions that are neither static nor inline are verified once, by themselves, and not again for every way that leads to
 * them. On kernels before 5.12 they take nothing but the context and numbers, so they find their space anew.
 */
#define SPACE                                                                                                         \
	__u32 only = 0;                                                                                               \
	struct scratch *scratch = bpf_map_lookup_elem(&scratches, &only);                                             \
	struct totals *totals = bpf_map_lookup_elem(&traffic, &only);                                                 \
	const struct policy_table *table = bpf_map_lookup_elem(&policy, &only);                                       \
                                                                                                                      \
	if (!scratch || !totals || !table)                                                                            \
	return 0

__noinline int tell_flow(struct xdp_md *context)
{
	SPACE;

	const struct packet *packet = &scratch->packet;
	__s64 salience = scratch->salience + table->numbers[POLICY_FLOW];
	bool focused = in_focus(&packet->source), allowed;
	__u64 lane;
	__u8 *at;

	if (focused)
		salience += table->numbers[POLICY_FOCUS];
	if (salience < table->numbers[POLICY_FLOW_THRESHOLD]) {
		scratch->flows.untold++;
		return 0;
	}
	if (focused)
		allowed = is_allowed(&scratch->focused_flows, table->numbers[POLICY_FOCUSED_FLOWS_PER_SECOND],
				     scratch->now, true);
	else
		allowed = is_allowed(&scratch->flows, table->numbers[POLICY_FLOWS_PER_SECOND], scratch->now, true);
	if (!allowed) {
		totals->counts[TRAFFIC_FLOWS_UNTOLD]++;
		return 0;
	}
	lane = lane_of_source(packet->source.high, packet->source.low);
	at = reserve(lane, NETWORK_FLOW, NETWORK_FLOW_FIXED);
	if (!at)
		return 0;

	struct network_flow record = {
		.timestamp = boot_time(),
		.interface = packet->interface,
		.source_port = packet->source_port,
		.destination_port = packet->destination_port,
		.protocol = packet->protocol,
		.flags = packet->flags,
		.tunnel = packet->tunnel,
		.vlan = packet->vlan,
		.length = packet->length,
		.salience = salience > 0 ? salience : 0,
		.untold = take_untold(&scratch->flows) + take_untold(&scratch->focused_flows),
	};

	__builtin_memcpy(record.source, &packet->source, sizeof(record.source));
	__builtin_memcpy(record.destination, &packet->destination, sizeof(record.destination));
	put_network_flow(at, &record);
	submit(context, lane, NETWORK_FLOW, at, NETWORK_FLOW_FIXED);
	return 0;
}

__noinline int tell_anomaly(struct xdp_md *context, __u32 kind)
{
	SPACE;

	if (kind >= ANOMALY_COUNT)
		return 0;

	const struct packet *packet = &scratch->packet;
	struct allowance *allowance = &scratch->anomalies[kind];
	__u64 lane;
	__u8 *at;

	totals->counts[TRAFFIC_ANOMALY + kind]++;
	if (!is_allowed(allowance, table->numbers[POLICY_ANOMALIES_PER_SECOND], scratch->now, true)) {
		totals->counts[TRAFFIC_ANOMALIES_UNTOLD]++;
		return 0;
	}
	lane = lane_of_source(packet->source.high, packet->source.low);
	at = reserve(lane, PACKET_ANOMALY, PACKET_ANOMALY_FIXED);
	if (!at)
		return 0;

	struct packet_anomaly record = {
		.timestamp = boot_time(),
		.kind = kind,
		.interface = packet->interface,
		.source_port = packet->source_port,
		.destination_port = packet->destination_port,
		.protocol = packet->protocol,
		.flags = packet->flags,
		.tunnel = packet->tunnel,
		.vlan = packet->vlan,
		.length = packet->length,
		.untold = take_untold(allowance),
	};

	__builtin_memcpy(record.source, &packet->source, sizeof(record.source));
	__builtin_memcpy(record.destination, &packet->destination, sizeof(record.destination));
	put_packet_anomaly(at, &record);
	submit(context, lane, PACKET_ANOMALY, at, PACKET_ANOMALY_FIXED);
	return 0;
}

static __always_inline void tell_anomalies(struct xdp_md *context, const struct packet *packet)
{
	for (__u32 kind = 0; kind < ANOMALY_COUNT; kind++)
		if (packet->anomalies & 1u << kind)
			tell_anomaly(context, kind);
}

/* Leaves the salience of a source in the scratch space. */
static __always_inline void weigh(struct scratch *scratch, const struct source *source, const struct policy_table *policy)
{
	scratch->salience = (__s64)policy->numbers[POLICY_BYTES] * level(source->bytes) +
			 (__s64)policy->numbers[POLICY_PORTS] * level(source->port_bits) +
			 (__s64)policy->numbers[POLICY_ADDRESSES] * level(source->address_bits);
	for (int counter = 0; counter <= COUNTER_ANOMALIES; counter++)
		scratch->salience += (__s64)policy->numbers[counter] * level(source->counts[counter]);
}

static __always_inline void tell_source(struct xdp_md *context, struct scratch *scratch, const struct source *source,
					__u32 counters)
{
	const struct packet *packet = &scratch->packet;
	__u64 lane = lane_of_source(source->address.high, source->address.low);
	__u8 *at = reserve(lane, SOURCE_SUMMARY, SOURCE_SUMMARY_FIXED);

	if (!at)
		return;

	struct source_summary record = {
		.timestamp = boot_time(),
		.prefix = source->prefix,
		.doubled = counters,
		.first_seen = source->first_seen,
		.bytes = source->bytes,
		.syn = source->counts[COUNTER_SYN],
		.fin = source->counts[COUNTER_FIN],
		.rst = source->counts[COUNTER_RST],
		.udp = source->counts[COUNTER_UDP],
		.icmp = source->counts[COUNTER_ICMP],
		.other = source->counts[COUNTER_OTHER],
		.handshakes = source->counts[COUNTER_HANDSHAKES],
		.anomalies = source->counts[COUNTER_ANOMALIES],
		.anomaly_kinds = source->anomaly_kinds,
		.ports = source->port_bits,
		.addresses = source->address_bits,
		.salience = source->salience,
		.interface = packet->interface,
		.destination_port = packet->destination_port,
		.protocol = packet->protocol,
	};

	__builtin_memcpy(record.source, &source->address, sizeof(record.source));
	__builtin_memcpy(record.destination, &packet->destination, sizeof(record.destination));
	put_source_summary(at, &record);
	submit(context, lane, SOURCE_SUMMARY, at, SOURCE_SUMMARY_FIXED);
}

/* Something of a source has doubled: how much does it matter now, and is it to be told? */
__noinline int reconsider(struct xdp_md *context, __u32 entry, __u32 counters)
{
	SPACE;

	__u32 place = entry / WAYS;
	struct bucket *bucket = bpf_map_lookup_elem(&buckets, &place);
	struct source *source = bpf_map_lookup_elem(&sources, &entry);
	bool focused;

	if (!bucket || !source)
		return 0;
	weigh(scratch, source, table);
	focused = in_focus(&source->address);
	if (focused)
		scratch->salience += table->numbers[POLICY_FOCUS];
	source->salience = scratch->salience > 0 ? scratch->salience : 0;
	bucket->worth[entry % WAYS] = source->salience < 255 ? source->salience : 255;
	if (scratch->salience < table->numbers[POLICY_SOURCE_THRESHOLD])
		return 0;
	if (!focused && !is_allowed(&scratch->summaries, table->numbers[POLICY_SUMMARIES_PER_SECOND], scratch->now,
				    scratch->salience >= 2 * (__s64)table->numbers[POLICY_SOURCE_THRESHOLD])) {
		totals->counts[TRAFFIC_SUMMARIES_UNTOLD]++;
		return 0;
	}
	tell_source(context, scratch, source, counters);
	return 0;
}

/* Adds the packet to the entry of its source, or of its network; leaves the salience in the scratch space. */
static __always_inline void account(struct xdp_md *context, struct scratch *scratch, struct totals *totals,
				    const struct policy_table *policy, const struct address *address, __u8 prefix,
				    __u64 hash)
{
	__u32 place = hash % BUCKETS, counters;
	struct bucket *bucket = bpf_map_lookup_elem(&buckets, &place);
	struct source *source;

	if (!bucket)
		return;
	source = find_source(bucket, &scratch->search, address, prefix, hash, scratch->now, totals);
	if (!source)
		return;
	counters = contribute(source, &scratch->contribution, scratch->packet.length, prefix == 128);
	if (counters)
		reconsider(context, scratch->search.entry, counters);
	scratch->salience = source->salience;
}

static __always_inline __u32 counter_of(const struct packet *packet)
{
	if (packet->protocol == PROTOCOL_TCP && packet->transport) {
		if (packet->flags & PACKET_RST)
			return COUNTER_RST;
		if (packet->flags & PACKET_FIN)
			return COUNTER_FIN;
		return is_syn(packet) ? COUNTER_SYN : COUNTER_OTHER;
	}
	if (packet->protocol == PROTOCOL_UDP)
		return COUNTER_UDP;
	if (packet->protocol == PROTOCOL_ICMP || packet->protocol == PROTOCOL_ICMPV6)
		return COUNTER_ICMP;
	return COUNTER_OTHER;
}

/*
 * Whether the destination port counts as one that was tried. A SYN and TCP flags that make no sense always try one; other
 * packets do not if they come to the ports that this host gives to its own connections, for they may be answers.
 */
static __always_inline bool tries_port(const struct packet *packet, const struct policy_table *policy)
{
	if (!packet->transport || packet->protocol == PROTOCOL_ICMP || packet->protocol == PROTOCOL_ICMPV6)
		return false;
	if (packet->protocol == PROTOCOL_TCP && (is_syn(packet) || packet->anomalies))
		return true;
	return packet->destination_port < policy->numbers[POLICY_EPHEMERAL_PORTS];
}

SEC("xdp")
int network_packets(struct xdp_md *ctx)
{
	__u32 only = 0;
	struct scratch *scratch = bpf_map_lookup_elem(&scratches, &only);
	struct totals *totals = bpf_map_lookup_elem(&traffic, &only);
	const struct policy_table *numbers = bpf_map_lookup_elem(&policy, &only);
	struct packet *packet = &scratch->packet;
	struct flow_news news = {};
	bool readable;

	if (!scratch || !totals || !numbers)
		return XDP_PASS;
	scratch->now = coarse_time();
	scratch->salience = 0;
	readable = read_packet(packet, ctx);
	count_frame(totals, packet, scratch->now);
	if (!readable)
		goto anomalies;
	if (is_blocked(&packet->source))
		return XDP_DROP;

	__u32 now = scratch->now >> 20;
	__u64 source_hash = hash(packet->source.high + 128, packet->source.low);

	scratch->hash = source_hash;
	count_transport(totals, packet);
	totals->dispersion[source_hash >> 24 & (DISPERSION_BINS - 1)]++;
	if (packet->interface != LOOPBACK_INTERFACE && is_own(&packet->source, packet->interface))
		note(packet, ANOMALY_OWN_SOURCE);
	if (packet->fragment)
		judge_fragment(packet, source_hash, now);
	if (packet->protocol == PROTOCOL_TCP && packet->transport)
		news = follow_tcp(packet, flow_hash(packet, source_hash), now);
	else if (!packet->fragment_offset)
		news = follow_other(flow_hash(packet, source_hash), now);
	if (news.completed)
		totals->counts[TRAFFIC_HANDSHAKES]++;
	if (news.displaced)
		totals->counts[TRAFFIC_FLOWS_EVICTED]++;

	scratch->contribution = (struct contribution){
		.counter = counter_of(packet),
		.anomalies = packet->anomalies,
		.completed = news.completed,
		.opens = tries_port(packet, numbers),
		.port_bit = spread(packet->destination_port) >> 56,
		.address_bit = spread(packet->destination.low ^ packet->destination.high) >> 58,
	};

	struct address whole = {packet->source.high, packet->source.low & 0x00ffffffffffffffULL};
	bool ipv4 = is_ipv4(&packet->source);

	if (!ipv4)
		whole.low = 0;
	if (!(packet->anomalies & LIES)) {
		account(ctx, scratch, totals, numbers, &whole, ipv4 ? 120 : 64, hash(whole.high, whole.low));
		scratch->salience = 0;
		account(ctx, scratch, totals, numbers, &packet->source, 128, scratch->hash);
	}
	if (news.opened) {
		totals->counts[TRAFFIC_FLOWS]++;
		tell_flow(ctx);
	}
anomalies:
	if (packet->anomalies)
		tell_anomalies(ctx, packet);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
