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
#define is_vital(tag) ((tag) == PROCESS_EXEC || (tag) == CREDENTIAL_CHANGE || (tag) == MEMORY_PROTECTION || (tag) == MEMORY_ACCESS || (tag) == MEMORY_FAULT || (tag) == CALL_ORIGIN || (tag) == OOM_KILL)

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

#endif
