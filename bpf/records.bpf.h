/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Written by `python -m pyloader.records.generate` from the types in pyloader/records/. Do not edit.
 *
 * put_NAME() writes the part of a record that has a fixed width, NAME_FIXED bytes. The variable fields follow in the
 * order that the comment above it gives; the program appends them with put_bin16_head() and the bytes.
 */
#ifndef PYLOADER_RECORDS_BPF_H
#define PYLOADER_RECORDS_BPF_H

#include "msgpack.bpf.h"

#define TAG_LIMIT 64

/* Rare and valuable records, which have a ring of their own. */
#define is_vital(tag) ((tag) == PROCESS_EXEC || (tag) == CREDENTIAL_CHANGE || (tag) == MEMORY_PROTECTION || (tag) == MEMORY_ACCESS || (tag) == MEMORY_FAULT || (tag) == CALL_ORIGIN || (tag) == OOM_KILL || (tag) == SOURCE_SUMMARY || (tag) == SOCKET_LISTENING || (tag) == SOCKET_CREATED)

enum exec_flag {
	EXEC_SETUID = 1,
	EXEC_SETGID = 2,
	EXEC_FILE_CAPABILITIES = 4,
	EXEC_MEMFD = 8,
	EXEC_DELETED = 16,
	EXEC_WORLD_WRITABLE = 32,
	EXEC_SCRIPT = 64,
	EXEC_ARGUMENTS_TRUNCATED = 128,
	EXEC_ARGUMENTS_UNREADABLE = 256,
	EXEC_PATH_TRUNCATED = 512,
};

enum stdio {
	STDIO_OTHER = 0,
	STDIO_CLOSED = 1,
	STDIO_CHARACTER = 2,
	STDIO_FILE = 3,
	STDIO_PIPE = 4,
	STDIO_UNIX_SOCKET = 5,
	STDIO_INET_SOCKET = 6,
	STDIO_OTHER_SOCKET = 7,
};

enum explanation {
	EXPLAINED_BY_NONE = 0,
	EXPLAINED_BY_EXEC = 1,
	EXPLAINED_BY_SET_ID = 2,
	EXPLAINED_BY_USER_NAMESPACE = 3,
};

enum protection {
	PROTECTION_READ = 1,
	PROTECTION_WRITE = 2,
	PROTECTION_EXECUTE = 4,
	PROTECTION_SHARED = 8,
};

enum area {
	AREA_NONE = 0,
	AREA_ANONYMOUS = 1,
	AREA_HEAP = 2,
	AREA_STACK = 3,
	AREA_THREAD_STACK = 4,
	AREA_SIGNAL_STACK = 5,
	AREA_FILE = 6,
	AREA_MEMFD = 7,
	AREA_SHARED_MEMORY = 8,
	AREA_KERNEL = 9,
};

enum technique {
	TECHNIQUE_WRITABLE = 1,
	TECHNIQUE_WRITTEN = 2,
	TECHNIQUE_ANONYMOUS = 3,
	TECHNIQUE_STACK = 4,
	TECHNIQUE_HEAP = 5,
	TECHNIQUE_TEXT_RELOCATION = 6,
	TECHNIQUE_MEMFD = 7,
	TECHNIQUE_DUAL_MAPPING = 8,
	TECHNIQUE_MOVED = 9,
};

enum exposure {
	EXPOSURE_LISTENS = 1,
	EXPOSURE_CONNECTED = 2,
};

enum access_method {
	ACCESS_ATTACH = 1,
	ACCESS_POKE = 2,
	ACCESS_SET_REGISTERS = 3,
	ACCESS_VM_READ = 4,
	ACCESS_VM_WRITE = 5,
	ACCESS_OPEN = 6,
	ACCESS_WRITE = 7,
	ACCESS_OPEN_TO_READ = 8,
};

enum facility {
	FACILITY_USERFAULTFD = 1,
	FACILITY_MEMFD = 2,
};

enum call {
	CALL_EXEC = 1,
	CALL_PROTECT = 2,
	CALL_MAP = 3,
	CALL_CONNECT = 4,
};

enum suspicion {
	SUSPICION_CODE = 1,
	SUSPICION_STACK = 2,
	SUSPICION_FRESH_CODE = 4,
};

enum usage_reason {
	USAGE_RESIDENT = 1,
	USAGE_FAULTS = 2,
	USAGE_CALLS = 4,
	USAGE_MAPPED = 8,
	USAGE_EXIT = 16,
	USAGE_ATTENTION = 32,
};

enum oom_scope {
	OOM_HOST = 0,
	OOM_CGROUP = 1,
};

enum direction {
	DIRECTION_UNKNOWN = 0,
	DIRECTION_INBOUND = 1,
	DIRECTION_OUTBOUND = 2,
};

enum outcome {
	OUTCOME_OTHER = 0,
	OUTCOME_ESTABLISHED = 1,
	OUTCOME_REFUSED = 2,
	OUTCOME_TIMED_OUT = 3,
	OUTCOME_UNREACHABLE = 4,
	OUTCOME_ABANDONED = 5,
};

enum anomaly {
	ANOMALY_TRUNCATED = 0,
	ANOMALY_BAD_LENGTH = 1,
	ANOMALY_BAD_OPTIONS = 2,
	ANOMALY_BAD_CHAIN = 3,
	ANOMALY_SOURCE_ROUTED = 4,
	ANOMALY_TINY_FRAGMENT = 5,
	ANOMALY_OVERLAPPING_FRAGMENT = 6,
	ANOMALY_OVERSIZED_FRAGMENT = 7,
	ANOMALY_BAD_SOURCE = 8,
	ANOMALY_LAND = 9,
	ANOMALY_OWN_SOURCE = 10,
	ANOMALY_PORT_ZERO = 11,
	ANOMALY_NULL_FLAGS = 12,
	ANOMALY_XMAS = 13,
	ANOMALY_SYN_FIN = 14,
	ANOMALY_SYN_RST = 15,
	ANOMALY_FIN_WITHOUT_ACK = 16,
};

enum traffic {
	TRAFFIC_PACKETS = 0,
	TRAFFIC_BYTES = 1,
	TRAFFIC_IPV4 = 2,
	TRAFFIC_IPV6 = 3,
	TRAFFIC_OTHER_NETWORK = 4,
	TRAFFIC_TCP = 5,
	TRAFFIC_UDP = 6,
	TRAFFIC_ICMP = 7,
	TRAFFIC_ICMPV6 = 8,
	TRAFFIC_SCTP = 9,
	TRAFFIC_GRE = 10,
	TRAFFIC_IP_IN_IP = 11,
	TRAFFIC_VXLAN = 12,
	TRAFFIC_OTHER_TRANSPORT = 13,
	TRAFFIC_FRAGMENTS = 14,
	TRAFFIC_SYN = 15,
	TRAFFIC_SYN_ACK = 16,
	TRAFFIC_ACK = 17,
	TRAFFIC_FIN = 18,
	TRAFFIC_RST = 19,
	TRAFFIC_HANDSHAKES = 20,
	TRAFFIC_FLOWS = 21,
	TRAFFIC_FLOWS_UNTOLD = 22,
	TRAFFIC_SUMMARIES_UNTOLD = 23,
	TRAFFIC_ANOMALIES_UNTOLD = 24,
	TRAFFIC_SOURCES_ADMITTED = 25,
	TRAFFIC_SOURCES_EVICTED = 26,
	TRAFFIC_FLOWS_EVICTED = 27,
	TRAFFIC_QOTD = 28,
	TRAFFIC_CHARGEN = 29,
	TRAFFIC_DNS = 30,
	TRAFFIC_TFTP = 31,
	TRAFFIC_PORTMAP = 32,
	TRAFFIC_NTP = 33,
	TRAFFIC_NETBIOS = 34,
	TRAFFIC_SNMP = 35,
	TRAFFIC_CLDAP = 36,
	TRAFFIC_RIP = 37,
	TRAFFIC_MSSQL = 38,
	TRAFFIC_SSDP = 39,
	TRAFFIC_ARMS = 40,
	TRAFFIC_WS_DISCOVERY = 41,
	TRAFFIC_STUN = 42,
	TRAFFIC_MDNS = 43,
	TRAFFIC_COAP = 44,
	TRAFFIC_MEMCACHED = 45,
	TRAFFIC_ANOMALY = 46,
};

enum counter {
	COUNTER_SYN = 0,
	COUNTER_FIN = 1,
	COUNTER_RST = 2,
	COUNTER_UDP = 3,
	COUNTER_ICMP = 4,
	COUNTER_OTHER = 5,
	COUNTER_HANDSHAKES = 6,
	COUNTER_ANOMALIES = 7,
	COUNTER_PORTS = 8,
	COUNTER_ADDRESSES = 9,
	COUNTER_BYTES = 10,
};

enum doubled {
	DOUBLED_SYN = 1,
	DOUBLED_FIN = 2,
	DOUBLED_RST = 4,
	DOUBLED_UDP = 8,
	DOUBLED_ICMP = 16,
	DOUBLED_OTHER = 32,
	DOUBLED_HANDSHAKES = 64,
	DOUBLED_ANOMALIES = 128,
	DOUBLED_PORTS = 256,
	DOUBLED_ADDRESSES = 512,
	DOUBLED_BYTES = 1024,
};

enum policy {
	POLICY_SYN = 0,
	POLICY_FIN = 1,
	POLICY_RST = 2,
	POLICY_UDP = 3,
	POLICY_ICMP = 4,
	POLICY_OTHER = 5,
	POLICY_HANDSHAKES = 6,
	POLICY_ANOMALIES = 7,
	POLICY_PORTS = 8,
	POLICY_ADDRESSES = 9,
	POLICY_BYTES = 10,
	POLICY_FOCUS = 11,
	POLICY_FLOW = 12,
	POLICY_FLOW_THRESHOLD = 13,
	POLICY_SOURCE_THRESHOLD = 14,
	POLICY_FLOWS_PER_SECOND = 15,
	POLICY_ANOMALIES_PER_SECOND = 16,
	POLICY_SUMMARIES_PER_SECOND = 17,
	POLICY_EPHEMERAL_PORTS = 18,
	POLICY_FOCUSED_FLOWS_PER_SECOND = 19,
};

enum tunnel {
	TUNNEL_NONE = 0,
	TUNNEL_GRE = 1,
	TUNNEL_IP_IN_IP = 2,
	TUNNEL_VXLAN = 3,
};

enum packet_flag {
	PACKET_FIN = 1,
	PACKET_SYN = 2,
	PACKET_RST = 4,
	PACKET_PSH = 8,
	PACKET_ACK = 16,
	PACKET_URG = 32,
};

#define TRAFFIC_LIMIT 64
#define DISPERSION_BINS 256
#define PULSE_WINDOWS 128
#define PULSE_SHIFT 23
#define POLICY_LIMIT 20

/* The cases of a switch over UDP source ports. */
#define AMPLIFIER_CASES \
	case 17: \
		return TRAFFIC_QOTD; \
	case 19: \
		return TRAFFIC_CHARGEN; \
	case 53: \
		return TRAFFIC_DNS; \
	case 69: \
		return TRAFFIC_TFTP; \
	case 111: \
		return TRAFFIC_PORTMAP; \
	case 123: \
		return TRAFFIC_NTP; \
	case 137: \
		return TRAFFIC_NETBIOS; \
	case 161: \
		return TRAFFIC_SNMP; \
	case 389: \
		return TRAFFIC_CLDAP; \
	case 520: \
		return TRAFFIC_RIP; \
	case 1434: \
		return TRAFFIC_MSSQL; \
	case 1900: \
		return TRAFFIC_SSDP; \
	case 3283: \
		return TRAFFIC_ARMS; \
	case 3702: \
		return TRAFFIC_WS_DISCOVERY; \
	case 3478: \
		return TRAFFIC_STUN; \
	case 5353: \
		return TRAFFIC_MDNS; \
	case 5683: \
		return TRAFFIC_COAP; \
	case 11211: \
		return TRAFFIC_MEMCACHED; \

#define PROCESS_EXEC 1
#define PROCESS_EXEC_FIXED 171
#define PROCESS_EXEC_FILENAME_LIMIT 512
#define PROCESS_EXEC_EXE_LIMIT 1024
#define PROCESS_EXEC_ARGS_LIMIT 4096

struct process_exec {
	__u64 timestamp;
	__u32 pid;
	__u32 ppid;
	__u64 start;
	__u64 parent_start;
	__u32 session;
	__u32 uid;
	__u32 euid;
	__u32 gid;
	__u64 capabilities;
	__u64 cgroup;
	__u32 pid_namespace;
	__u32 mount_namespace;
	__u64 inode;
	__u32 device;
	__u32 flags;
	__u16 stdio;
	__u64 stdin_inode;
	__u64 stdout_inode;
	__u32 args_size;
	char comm[16];
	char parent_comm[16];
};

/* Variable fields: filename, exe, args. */
static __always_inline void put_process_exec(__u8 *at, const struct process_exec *record)
{
	put_array16(at, 26);
	put_u8(at + 3, 1);
	put_u64(at + 5, record->timestamp);
	put_u32(at + 14, record->pid);
	put_u32(at + 19, record->ppid);
	put_u64(at + 24, record->start);
	put_u64(at + 33, record->parent_start);
	put_u32(at + 42, record->session);
	put_u32(at + 47, record->uid);
	put_u32(at + 52, record->euid);
	put_u32(at + 57, record->gid);
	put_u64(at + 62, record->capabilities);
	put_u64(at + 71, record->cgroup);
	put_u32(at + 80, record->pid_namespace);
	put_u32(at + 85, record->mount_namespace);
	put_u64(at + 90, record->inode);
	put_u32(at + 99, record->device);
	put_u32(at + 104, record->flags);
	put_u16(at + 109, record->stdio);
	put_u64(at + 112, record->stdin_inode);
	put_u64(at + 121, record->stdout_inode);
	put_u32(at + 130, record->args_size);
	put_bin8(at + 135, record->comm, 16);
	put_bin8(at + 153, record->parent_comm, 16);
}

#define PROCESS_FORK 2
#define PROCESS_FORK_FIXED 79

struct process_fork {
	__u64 timestamp;
	__u32 pid;
	__u32 ppid;
	__u64 start;
	__u64 parent_start;
	__u32 session;
	__u32 uid;
	__u64 cgroup;
	char comm[16];
};

/* No variable fields. */
static __always_inline void put_process_fork(__u8 *at, const struct process_fork *record)
{
	put_array16(at, 10);
	put_u8(at + 3, 2);
	put_u64(at + 5, record->timestamp);
	put_u32(at + 14, record->pid);
	put_u32(at + 19, record->ppid);
	put_u64(at + 24, record->start);
	put_u64(at + 33, record->parent_start);
	put_u32(at + 42, record->session);
	put_u32(at + 47, record->uid);
	put_u64(at + 52, record->cgroup);
	put_bin8(at + 61, record->comm, 16);
}

#define PROCESS_EXIT 3
#define PROCESS_EXIT_FIXED 71

struct process_exit {
	__u64 timestamp;
	__u32 pid;
	__u32 ppid;
	__u64 start;
	__u32 uid;
	__u8 code;
	__u8 signal;
	__u8 core_dumped;
	__u64 lifetime;
	char comm[16];
};

/* No variable fields. */
static __always_inline void put_process_exit(__u8 *at, const struct process_exit *record)
{
	put_array16(at, 11);
	put_u8(at + 3, 3);
	put_u64(at + 5, record->timestamp);
	put_u32(at + 14, record->pid);
	put_u32(at + 19, record->ppid);
	put_u64(at + 24, record->start);
	put_u32(at + 33, record->uid);
	put_u8(at + 38, record->code);
	put_u8(at + 40, record->signal);
	put_u8(at + 42, record->core_dumped);
	put_u64(at + 44, record->lifetime);
	put_bin8(at + 53, record->comm, 16);
}

#define CREDENTIAL_CHANGE 4
#define CREDENTIAL_CHANGE_FIXED 101

struct credential_change {
	__u64 timestamp;
	__u32 pid;
	__u32 ppid;
	__u64 start;
	__u8 explanation;
	__u32 old_uid;
	__u32 old_euid;
	__u32 old_gid;
	__u64 old_capabilities;
	__u32 uid;
	__u32 euid;
	__u32 gid;
	__u64 capabilities;
	char comm[16];
};

/* No variable fields. */
static __always_inline void put_credential_change(__u8 *at, const struct credential_change *record)
{
	put_array16(at, 15);
	put_u8(at + 3, 4);
	put_u64(at + 5, record->timestamp);
	put_u32(at + 14, record->pid);
	put_u32(at + 19, record->ppid);
	put_u64(at + 24, record->start);
	put_u8(at + 33, record->explanation);
	put_u32(at + 35, record->old_uid);
	put_u32(at + 40, record->old_euid);
	put_u32(at + 45, record->old_gid);
	put_u64(at + 50, record->old_capabilities);
	put_u32(at + 59, record->uid);
	put_u32(at + 64, record->euid);
	put_u32(at + 69, record->gid);
	put_u64(at + 74, record->capabilities);
	put_bin8(at + 83, record->comm, 16);
}

#define MEMORY_PROTECTION 5
#define MEMORY_PROTECTION_FIXED 130
#define MEMORY_PROTECTION_FILE_LIMIT 1024

struct memory_protection {
	__u64 timestamp;
	__u32 pid;
	__u32 tid;
	__u32 ppid;
	__u64 start;
	__u32 uid;
	__u8 technique;
	__u8 area;
	__u8 was;
	__u8 now;
	__u8 exposure;
	__u32 count;
	__u64 cgroup;
	__u64 address;
	__u64 length;
	__u64 area_start;
	__u64 area_end;
	__u64 ip;
	char comm[16];
};

/* Variable fields: file. */
static __always_inline void put_memory_protection(__u8 *at, const struct memory_protection *record)
{
	put_array16(at, 21);
	put_u8(at + 3, 5);
	put_u64(at + 5, record->timestamp);
	put_u32(at + 14, record->pid);
	put_u32(at + 19, record->tid);
	put_u32(at + 24, record->ppid);
	put_u64(at + 29, record->start);
	put_u32(at + 38, record->uid);
	put_u8(at + 43, record->technique);
	put_u8(at + 45, record->area);
	put_u8(at + 47, record->was);
	put_u8(at + 49, record->now);
	put_u8(at + 51, record->exposure);
	put_u32(at + 53, record->count);
	put_u64(at + 58, record->cgroup);
	put_u64(at + 67, record->address);
	put_u64(at + 76, record->length);
	put_u64(at + 85, record->area_start);
	put_u64(at + 94, record->area_end);
	put_u64(at + 103, record->ip);
	put_bin8(at + 112, record->comm, 16);
}

#define MEMORY_ACCESS 6
#define MEMORY_ACCESS_FIXED 128

struct memory_access {
	__u64 timestamp;
	__u32 pid;
	__u32 ppid;
	__u64 start;
	__u32 uid;
	__u8 method;
	__u16 error;
	__u32 count;
	__u32 target_pid;
	__u32 target_ppid;
	__u64 target_start;
	__u32 target_uid;
	__u8 descent;
	__u64 address;
	__u64 length;
	char comm[16];
	char target_comm[16];
};

/* No variable fields. */
static __always_inline void put_memory_access(__u8 *at, const struct memory_access *record)
{
	put_array16(at, 18);
	put_u8(at + 3, 6);
	put_u64(at + 5, record->timestamp);
	put_u32(at + 14, record->pid);
	put_u32(at + 19, record->ppid);
	put_u64(at + 24, record->start);
	put_u32(at + 33, record->uid);
	put_u8(at + 38, record->method);
	put_u16(at + 40, record->error);
	put_u32(at + 43, record->count);
	put_u32(at + 48, record->target_pid);
	put_u32(at + 53, record->target_ppid);
	put_u64(at + 58, record->target_start);
	put_u32(at + 67, record->target_uid);
	put_u8(at + 72, record->descent);
	put_u64(at + 74, record->address);
	put_u64(at + 83, record->length);
	put_bin8(at + 92, record->comm, 16);
	put_bin8(at + 110, record->target_comm, 16);
}

#define MEMORY_REQUEST 7
#define MEMORY_REQUEST_FIXED 70
#define MEMORY_REQUEST_NAME_LIMIT 512

struct memory_request {
	__u64 timestamp;
	__u32 pid;
	__u32 ppid;
	__u64 start;
	__u32 uid;
	__u8 facility;
	__u8 privileged;
	__u32 flags;
	__u32 count;
	char comm[16];
};

/* Variable fields: name. */
static __always_inline void put_memory_request(__u8 *at, const struct memory_request *record)
{
	put_array16(at, 12);
	put_u8(at + 3, 7);
	put_u64(at + 5, record->timestamp);
	put_u32(at + 14, record->pid);
	put_u32(at + 19, record->ppid);
	put_u64(at + 24, record->start);
	put_u32(at + 33, record->uid);
	put_u8(at + 38, record->facility);
	put_u8(at + 40, record->privileged);
	put_u32(at + 42, record->flags);
	put_u32(at + 47, record->count);
	put_bin8(at + 52, record->comm, 16);
}

#define MEMORY_FAULT 8
#define MEMORY_FAULT_FIXED 132
#define MEMORY_FAULT_FILE_LIMIT 1024
#define MEMORY_FAULT_MESSAGE_LIMIT 512

struct memory_fault {
	__u64 timestamp;
	__u32 pid;
	__u32 tid;
	__u32 ppid;
	__u64 start;
	__u64 parent_start;
	__u32 uid;
	__u8 signal;
	__u32 code;
	__u8 handled;
	__u8 exposure;
	__u32 count;
	__u64 cgroup;
	__u64 address;
	__u64 ip;
	__u64 sp;
	__u8 address_area;
	__u8 address_protection;
	__u8 ip_area;
	__u8 ip_protection;
	__u8 sp_area;
	char comm[16];
};

/* Variable fields: file, message. */
static __always_inline void put_memory_fault(__u8 *at, const struct memory_fault *record)
{
	put_array16(at, 25);
	put_u8(at + 3, 8);
	put_u64(at + 5, record->timestamp);
	put_u32(at + 14, record->pid);
	put_u32(at + 19, record->tid);
	put_u32(at + 24, record->ppid);
	put_u64(at + 29, record->start);
	put_u64(at + 38, record->parent_start);
	put_u32(at + 47, record->uid);
	put_u8(at + 52, record->signal);
	put_u32(at + 54, record->code);
	put_u8(at + 59, record->handled);
	put_u8(at + 61, record->exposure);
	put_u32(at + 63, record->count);
	put_u64(at + 68, record->cgroup);
	put_u64(at + 77, record->address);
	put_u64(at + 86, record->ip);
	put_u64(at + 95, record->sp);
	put_u8(at + 104, record->address_area);
	put_u8(at + 106, record->address_protection);
	put_u8(at + 108, record->ip_area);
	put_u8(at + 110, record->ip_protection);
	put_u8(at + 112, record->sp_area);
	put_bin8(at + 114, record->comm, 16);
}

#define CALL_ORIGIN 9
#define CALL_ORIGIN_FIXED 107
#define CALL_ORIGIN_FILE_LIMIT 1024

struct call_origin {
	__u64 timestamp;
	__u32 pid;
	__u32 tid;
	__u32 ppid;
	__u64 start;
	__u32 uid;
	__u8 call;
	__u8 suspicions;
	__u8 exposure;
	__u32 count;
	__u64 ip;
	__u64 sp;
	__u8 ip_area;
	__u8 ip_protection;
	__u8 sp_area;
	__u8 sp_protection;
	__u64 since_written;
	char comm[16];
};

/* Variable fields: file. */
static __always_inline void put_call_origin(__u8 *at, const struct call_origin *record)
{
	put_array16(at, 20);
	put_u8(at + 3, 9);
	put_u64(at + 5, record->timestamp);
	put_u32(at + 14, record->pid);
	put_u32(at + 19, record->tid);
	put_u32(at + 24, record->ppid);
	put_u64(at + 29, record->start);
	put_u32(at + 38, record->uid);
	put_u8(at + 43, record->call);
	put_u8(at + 45, record->suspicions);
	put_u8(at + 47, record->exposure);
	put_u32(at + 49, record->count);
	put_u64(at + 54, record->ip);
	put_u64(at + 63, record->sp);
	put_u8(at + 72, record->ip_area);
	put_u8(at + 74, record->ip_protection);
	put_u8(at + 76, record->sp_area);
	put_u8(at + 78, record->sp_protection);
	put_u64(at + 80, record->since_written);
	put_bin8(at + 89, record->comm, 16);
}

#define MEMORY_USAGE 10
#define MEMORY_USAGE_FIXED 175

struct memory_usage {
	__u64 timestamp;
	__u32 pid;
	__u32 ppid;
	__u64 start;
	__u32 uid;
	__u8 reasons;
	__u64 cgroup;
	__u64 resident;
	__u64 peak;
	__u64 virtual;
	__u64 heap;
	__u64 minor_faults;
	__u64 major_faults;
	__u64 maps;
	__u64 mapped;
	__u64 unmaps;
	__u64 unmapped;
	__u64 breaks;
	__u64 duration;
	char comm[16];
};

/* No variable fields. */
static __always_inline void put_memory_usage(__u8 *at, const struct memory_usage *record)
{
	put_array16(at, 21);
	put_u8(at + 3, 10);
	put_u64(at + 5, record->timestamp);
	put_u32(at + 14, record->pid);
	put_u32(at + 19, record->ppid);
	put_u64(at + 24, record->start);
	put_u32(at + 33, record->uid);
	put_u8(at + 38, record->reasons);
	put_u64(at + 40, record->cgroup);
	put_u64(at + 49, record->resident);
	put_u64(at + 58, record->peak);
	put_u64(at + 67, record->virtual);
	put_u64(at + 76, record->heap);
	put_u64(at + 85, record->minor_faults);
	put_u64(at + 94, record->major_faults);
	put_u64(at + 103, record->maps);
	put_u64(at + 112, record->mapped);
	put_u64(at + 121, record->unmaps);
	put_u64(at + 130, record->unmapped);
	put_u64(at + 139, record->breaks);
	put_u64(at + 148, record->duration);
	put_bin8(at + 157, record->comm, 16);
}

#define OOM_KILL 11
#define OOM_KILL_FIXED 142

struct oom_kill {
	__u64 timestamp;
	__u32 pid;
	__u64 start;
	__u32 uid;
	__u8 scope;
	__u64 cgroup;
	__u64 limit;
	__u64 usage;
	__u64 virtual;
	__u64 anonymous;
	__u64 file;
	__u64 shared;
	__u16 score_adjustment;
	__u32 cause_pid;
	char comm[16];
	char cause_comm[16];
};

/* No variable fields. */
static __always_inline void put_oom_kill(__u8 *at, const struct oom_kill *record)
{
	put_array16(at, 17);
	put_u8(at + 3, 11);
	put_u64(at + 5, record->timestamp);
	put_u32(at + 14, record->pid);
	put_u64(at + 19, record->start);
	put_u32(at + 28, record->uid);
	put_u8(at + 33, record->scope);
	put_u64(at + 35, record->cgroup);
	put_u64(at + 44, record->limit);
	put_u64(at + 53, record->usage);
	put_u64(at + 62, record->virtual);
	put_u64(at + 71, record->anonymous);
	put_u64(at + 80, record->file);
	put_u64(at + 89, record->shared);
	put_u16(at + 98, record->score_adjustment);
	put_u32(at + 101, record->cause_pid);
	put_bin8(at + 106, record->comm, 16);
	put_bin8(at + 124, record->cause_comm, 16);
}

#define NETWORK_FLOW 12
#define NETWORK_FLOW_FIXED 89

struct network_flow {
	__u64 timestamp;
	__u32 interface;
	char source[16];
	char destination[16];
	__u16 source_port;
	__u16 destination_port;
	__u8 protocol;
	__u8 flags;
	__u8 tunnel;
	__u16 vlan;
	__u32 length;
	__u32 salience;
	__u64 untold;
};

/* No variable fields. */
static __always_inline void put_network_flow(__u8 *at, const struct network_flow *record)
{
	put_array16(at, 14);
	put_u8(at + 3, 12);
	put_u64(at + 5, record->timestamp);
	put_u32(at + 14, record->interface);
	put_bin8(at + 19, record->source, 16);
	put_bin8(at + 37, record->destination, 16);
	put_u16(at + 55, record->source_port);
	put_u16(at + 58, record->destination_port);
	put_u8(at + 61, record->protocol);
	put_u8(at + 63, record->flags);
	put_u8(at + 65, record->tunnel);
	put_u16(at + 67, record->vlan);
	put_u32(at + 70, record->length);
	put_u32(at + 75, record->salience);
	put_u64(at + 80, record->untold);
}

#define PACKET_ANOMALY 13
#define PACKET_ANOMALY_FIXED 86

struct packet_anomaly {
	__u64 timestamp;
	__u8 kind;
	__u32 interface;
	char source[16];
	char destination[16];
	__u16 source_port;
	__u16 destination_port;
	__u8 protocol;
	__u8 flags;
	__u8 tunnel;
	__u16 vlan;
	__u32 length;
	__u64 untold;
};

/* No variable fields. */
static __always_inline void put_packet_anomaly(__u8 *at, const struct packet_anomaly *record)
{
	put_array16(at, 14);
	put_u8(at + 3, 13);
	put_u64(at + 5, record->timestamp);
	put_u8(at + 14, record->kind);
	put_u32(at + 16, record->interface);
	put_bin8(at + 21, record->source, 16);
	put_bin8(at + 39, record->destination, 16);
	put_u16(at + 57, record->source_port);
	put_u16(at + 60, record->destination_port);
	put_u8(at + 63, record->protocol);
	put_u8(at + 65, record->flags);
	put_u8(at + 67, record->tunnel);
	put_u16(at + 69, record->vlan);
	put_u32(at + 72, record->length);
	put_u64(at + 77, record->untold);
}

#define SOURCE_SUMMARY 14
#define SOURCE_SUMMARY_FIXED 139

struct source_summary {
	__u64 timestamp;
	char source[16];
	__u8 prefix;
	__u16 doubled;
	__u64 first_seen;
	__u64 bytes;
	__u32 syn;
	__u32 fin;
	__u32 rst;
	__u32 udp;
	__u32 icmp;
	__u32 other;
	__u32 handshakes;
	__u32 anomalies;
	__u32 anomaly_kinds;
	__u16 ports;
	__u16 addresses;
	__u32 salience;
	__u32 interface;
	char destination[16];
	__u16 destination_port;
	__u8 protocol;
};

/* No variable fields. */
static __always_inline void put_source_summary(__u8 *at, const struct source_summary *record)
{
	put_array16(at, 23);
	put_u8(at + 3, 14);
	put_u64(at + 5, record->timestamp);
	put_bin8(at + 14, record->source, 16);
	put_u8(at + 32, record->prefix);
	put_u16(at + 34, record->doubled);
	put_u64(at + 37, record->first_seen);
	put_u64(at + 46, record->bytes);
	put_u32(at + 55, record->syn);
	put_u32(at + 60, record->fin);
	put_u32(at + 65, record->rst);
	put_u32(at + 70, record->udp);
	put_u32(at + 75, record->icmp);
	put_u32(at + 80, record->other);
	put_u32(at + 85, record->handshakes);
	put_u32(at + 90, record->anomalies);
	put_u32(at + 95, record->anomaly_kinds);
	put_u16(at + 100, record->ports);
	put_u16(at + 103, record->addresses);
	put_u32(at + 106, record->salience);
	put_u32(at + 111, record->interface);
	put_bin8(at + 116, record->destination, 16);
	put_u16(at + 134, record->destination_port);
	put_u8(at + 137, record->protocol);
}

#define CONNECTION_OPENED 16
#define CONNECTION_OPENED_FIXED 134

struct connection_opened {
	__u64 timestamp;
	__u32 pid;
	__u32 ppid;
	__u64 start;
	__u32 uid;
	__u64 cgroup;
	__u32 net_namespace;
	__u16 family;
	__u16 protocol;
	char comm[16];
	__u8 direction;
	__u8 outcome;
	__u16 error;
	char local_address[16];
	__u16 local_port;
	char remote_address[16];
	__u16 remote_port;
	__u64 duration;
};

/* No variable fields. */
static __always_inline void put_connection_opened(__u8 *at, const struct connection_opened *record)
{
	put_array16(at, 19);
	put_u8(at + 3, 16);
	put_u64(at + 5, record->timestamp);
	put_u32(at + 14, record->pid);
	put_u32(at + 19, record->ppid);
	put_u64(at + 24, record->start);
	put_u32(at + 33, record->uid);
	put_u64(at + 38, record->cgroup);
	put_u32(at + 47, record->net_namespace);
	put_u16(at + 52, record->family);
	put_u16(at + 55, record->protocol);
	put_bin8(at + 58, record->comm, 16);
	put_u8(at + 76, record->direction);
	put_u8(at + 78, record->outcome);
	put_u16(at + 80, record->error);
	put_bin8(at + 83, record->local_address, 16);
	put_u16(at + 101, record->local_port);
	put_bin8(at + 104, record->remote_address, 16);
	put_u16(at + 122, record->remote_port);
	put_u64(at + 125, record->duration);
}

#define CONNECTION_CLOSED 17
#define CONNECTION_CLOSED_FIXED 150

struct connection_closed {
	__u64 timestamp;
	__u32 pid;
	__u32 ppid;
	__u64 start;
	__u32 uid;
	__u64 cgroup;
	__u32 net_namespace;
	__u16 family;
	__u16 protocol;
	char comm[16];
	__u8 direction;
	__u16 error;
	char local_address[16];
	__u16 local_port;
	char remote_address[16];
	__u16 remote_port;
	__u64 duration;
	__u64 sent;
	__u64 received;
};

/* No variable fields. */
static __always_inline void put_connection_closed(__u8 *at, const struct connection_closed *record)
{
	put_array16(at, 20);
	put_u8(at + 3, 17);
	put_u64(at + 5, record->timestamp);
	put_u32(at + 14, record->pid);
	put_u32(at + 19, record->ppid);
	put_u64(at + 24, record->start);
	put_u32(at + 33, record->uid);
	put_u64(at + 38, record->cgroup);
	put_u32(at + 47, record->net_namespace);
	put_u16(at + 52, record->family);
	put_u16(at + 55, record->protocol);
	put_bin8(at + 58, record->comm, 16);
	put_u8(at + 76, record->direction);
	put_u16(at + 78, record->error);
	put_bin8(at + 81, record->local_address, 16);
	put_u16(at + 99, record->local_port);
	put_bin8(at + 102, record->remote_address, 16);
	put_u16(at + 120, record->remote_port);
	put_u64(at + 123, record->duration);
	put_u64(at + 132, record->sent);
	put_u64(at + 141, record->received);
}

#define SOCKET_LISTENING 18
#define SOCKET_LISTENING_FIXED 102

struct socket_listening {
	__u64 timestamp;
	__u32 pid;
	__u32 ppid;
	__u64 start;
	__u32 uid;
	__u64 cgroup;
	__u32 net_namespace;
	__u16 family;
	__u16 protocol;
	char comm[16];
	char local_address[16];
	__u16 local_port;
	__u32 backlog;
};

/* No variable fields. */
static __always_inline void put_socket_listening(__u8 *at, const struct socket_listening *record)
{
	put_array16(at, 14);
	put_u8(at + 3, 18);
	put_u64(at + 5, record->timestamp);
	put_u32(at + 14, record->pid);
	put_u32(at + 19, record->ppid);
	put_u64(at + 24, record->start);
	put_u32(at + 33, record->uid);
	put_u64(at + 38, record->cgroup);
	put_u32(at + 47, record->net_namespace);
	put_u16(at + 52, record->family);
	put_u16(at + 55, record->protocol);
	put_bin8(at + 58, record->comm, 16);
	put_bin8(at + 76, record->local_address, 16);
	put_u16(at + 94, record->local_port);
	put_u32(at + 97, record->backlog);
}

#define DATAGRAM_SENT 19
#define DATAGRAM_SENT_FIXED 141

struct datagram_sent {
	__u64 timestamp;
	__u32 pid;
	__u32 ppid;
	__u64 start;
	__u32 uid;
	__u64 cgroup;
	__u32 net_namespace;
	__u16 family;
	__u16 protocol;
	char comm[16];
	char local_address[16];
	__u16 local_port;
	char remote_address[16];
	__u16 remote_port;
	__u64 datagrams;
	__u64 size;
	__u32 peers;
};

/* No variable fields. */
static __always_inline void put_datagram_sent(__u8 *at, const struct datagram_sent *record)
{
	put_array16(at, 18);
	put_u8(at + 3, 19);
	put_u64(at + 5, record->timestamp);
	put_u32(at + 14, record->pid);
	put_u32(at + 19, record->ppid);
	put_u64(at + 24, record->start);
	put_u32(at + 33, record->uid);
	put_u64(at + 38, record->cgroup);
	put_u32(at + 47, record->net_namespace);
	put_u16(at + 52, record->family);
	put_u16(at + 55, record->protocol);
	put_bin8(at + 58, record->comm, 16);
	put_bin8(at + 76, record->local_address, 16);
	put_u16(at + 94, record->local_port);
	put_bin8(at + 97, record->remote_address, 16);
	put_u16(at + 115, record->remote_port);
	put_u64(at + 118, record->datagrams);
	put_u64(at + 127, record->size);
	put_u32(at + 136, record->peers);
}

#define SOCKET_CREATED 20
#define SOCKET_CREATED_FIXED 79

struct socket_created {
	__u64 timestamp;
	__u32 pid;
	__u32 ppid;
	__u64 start;
	__u32 uid;
	__u64 cgroup;
	__u32 net_namespace;
	__u16 family;
	__u16 protocol;
	char comm[16];
	__u16 socket_type;
};

/* No variable fields. */
static __always_inline void put_socket_created(__u8 *at, const struct socket_created *record)
{
	put_array16(at, 12);
	put_u8(at + 3, 20);
	put_u64(at + 5, record->timestamp);
	put_u32(at + 14, record->pid);
	put_u32(at + 19, record->ppid);
	put_u64(at + 24, record->start);
	put_u32(at + 33, record->uid);
	put_u64(at + 38, record->cgroup);
	put_u32(at + 47, record->net_namespace);
	put_u16(at + 52, record->family);
	put_u16(at + 55, record->protocol);
	put_bin8(at + 58, record->comm, 16);
	put_u16(at + 76, record->socket_type);
}

#endif
