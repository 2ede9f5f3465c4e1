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
#define is_vital(tag) ((tag) == PROCESS_EXEC || (tag) == CREDENTIAL_CHANGE)

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

#endif
