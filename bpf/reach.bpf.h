/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A process reaches into another one: by ptrace, process_vm_*() or /proc/PID/mem. */
#ifndef PYLOADER_REACH_BPF_H
#define PYLOADER_REACH_BPF_H

#include "charge.bpf.h"
#include "footprint.bpf.h"
#include "registers.bpf.h"

/* include/uapi/linux/ptrace.h, arch/x86/include/uapi/asm/ptrace-abi.h */
#define PTRACE_POKETEXT 4
#define PTRACE_POKEDATA 5
#define PTRACE_POKEUSR 6
#define PTRACE_SETREGS 13
#define PTRACE_ATTACH 16
#define PTRACE_SETREGSET 0x4205
#define PTRACE_SEIZE 0x4206

#define PROC_SUPER_MAGIC 0x9fa0 /* include/uapi/linux/magic.h */
#define FMODE_WRITE 0x2		/* include/linux/fs.h */

#define ERROR_LIMIT 4095

struct reach_key {
	__u64 process; /* when it started */
	__u64 target;
	__u64 method;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct reach_key);
	__type(value, __u32);
} reaches SEC(".maps");

/* Counts one more, and returns the number if it is to be told, else 0. */
static __always_inline __u32 reach_to_be_told(struct task_struct *task, struct task_struct *target, __u32 method)
{
	struct reach_key key = {.process = start_of(task), .target = start_of(target), .method = method};
	__u32 *known = bpf_map_lookup_elem(&reaches, &key);
	__u32 number = 1;

	if (!known) {
		bpf_map_update_elem(&reaches, &key, &number, BPF_ANY);
		return number;
	}
	number = ++*known;
	return is_time_to_tell(number, pid_of(task)) ? number : 0;
}

static __always_inline void observe_reach(void *context, struct task_struct *target, enum access_method method,
					  long result, __u64 address, __u64 length)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u32 number;
	__u64 lane;
	__u8 *at;

	if (!in_charge())
		return;
	number = reach_to_be_told(task, target, method);
	if (!number)
		return;
	lane = lane_of(task);
	at = reserve(lane, MEMORY_ACCESS, MEMORY_ACCESS_FIXED);
	if (!at)
		return;

	struct memory_access record = {
		.timestamp = boot_time(),
		.pid = pid_of(task),
		.ppid = pid_of(parent_of(task)),
		.start = start_of(task),
		.uid = BPF_CORE_READ(task, real_cred, uid.val),
		.method = method,
		.error = result < 0 && result >= -ERROR_LIMIT ? -result : 0,
		.count = number,
		.target_pid = pid_of(target),
		.target_ppid = pid_of(parent_of(target)),
		.target_start = start_of(target),
		.target_uid = BPF_CORE_READ(target, real_cred, uid.val),
		.descent = descent_from(target, pid_of(task)),
		.address = address,
		.length = length,
	};

	BPF_CORE_READ_INTO(&record.comm, task, group_leader, comm);
	BPF_CORE_READ_INTO(&record.target_comm, target, group_leader, comm);
	put_memory_access(at, &record);
	submit(context, lane, MEMORY_ACCESS, at, MEMORY_ACCESS_FIXED);
}

static __always_inline void observe_ptrace(void *context, long result)
{
	struct task_struct *task = (void *)bpf_get_current_task(), *target;
	struct pt_regs *regs = user_registers(task);
	__u64 address = ARGUMENT_3(regs), length = 0;
	enum access_method method;

	switch (ARGUMENT_1(regs)) {
	case PTRACE_ATTACH:
	case PTRACE_SEIZE:
		method = ACCESS_ATTACH;
		address = 0;
		break;
	case PTRACE_POKETEXT:
	case PTRACE_POKEDATA:
		method = ACCESS_POKE;
		length = sizeof(long);
		break;
	case PTRACE_POKEUSR:
	case PTRACE_SETREGS:
	case PTRACE_SETREGSET:
		method = ACCESS_SET_REGISTERS;
		address = 0;
		break;
	default:
		return;
	}
	target = task_with_id(active_pid_namespace(task), ARGUMENT_2(regs));
	if (target)
		observe_reach(context, target, method, result, address, length);
}

/* process_vm_readv() and process_vm_writev(): the fourth argument lists the remote ranges, of which the first is told. */
static __always_inline void observe_transfer(void *context, enum access_method method, long result)
{
	struct task_struct *task = (void *)bpf_get_current_task(), *target;
	struct pt_regs *regs = user_registers(task);
	__u64 range[2] = {};

	target = task_with_id(active_pid_namespace(task), ARGUMENT_1(regs));
	bpf_probe_read_user(range, sizeof(range), (void *)ARGUMENT_4(regs));
	if (target)
		observe_reach(context, target, method, result, range[0], range[1]);
}

/* Whose memory a file is, if it is a /proc/PID/mem. */
static __always_inline struct task_struct *memory_file_of(struct file *file)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	struct proc_inode *proc = (void *)inode - bpf_core_field_offset(struct proc_inode, vfs_inode);
	char name[4] = {};

	if (BPF_CORE_READ(inode, i_sb, s_magic) != PROC_SUPER_MAGIC)
		return NULL;
	bpf_probe_read_kernel(name, sizeof(name), BPF_CORE_READ(file, f_path.dentry, d_name.name));
	if (name[0] != 'm' || name[1] != 'e' || name[2] != 'm' || name[3])
		return NULL;
	return task_of(BPF_CORE_READ(proc, pid));
}

static __always_inline void observe_memory_open(void *context, struct file *file)
{
	struct task_struct *target = memory_file_of(file);
	bool writable = BPF_CORE_READ(file, f_mode) & FMODE_WRITE;

	if (target)
		observe_reach(context, target, writable ? ACCESS_OPEN : ACCESS_OPEN_TO_READ, 0, 0, 0);
}

/* Writing to one's own memory this way changes even pages that are not writable. */
static __always_inline void observe_memory_write(void *context, struct file *file, __u64 address, __u64 length)
{
	struct task_struct *target = memory_file_of(file);

	if (target)
		observe_reach(context, target, ACCESS_WRITE, 0, address, length);
}

static __always_inline struct file *file_at(struct task_struct *task, __u32 descriptor)
{
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file *file = NULL;

	if (descriptor < BPF_CORE_READ(table, max_fds))
		bpf_probe_read_kernel(&file, sizeof(file), BPF_CORE_READ(table, fd) + descriptor);
	return file;
}

#endif
