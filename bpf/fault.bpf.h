/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Signals that tell of a fault, as they are delivered: what went wrong, where, and whether the process catches it. */
#ifndef PYLOADER_FAULT_BPF_H
#define PYLOADER_FAULT_BPF_H

#include "charge.bpf.h"
#include "footprint.bpf.h"
#include "look.bpf.h"

/* include/uapi/asm-generic/signal.h, siginfo.h */
#define SIGILL 4
#define SIGTRAP 5
#define SIGABRT 6
#define SIGBUS 7
#define SIGFPE 8
#define SIGSEGV 11
#define SIGSYS 31
#define SIG_IGN 1
#define SI_KERNEL 0x80

static __always_inline bool is_fault(int signal)
{
	const __u64 faults = 1UL << SIGILL | 1UL << SIGTRAP | 1UL << SIGABRT | 1UL << SIGBUS | 1UL << SIGFPE |
			     1UL << SIGSEGV | 1UL << SIGSYS;

	return signal > 0 && signal < 64 && faults >> signal & 1;
}

/* Only then does the signal carry an address: user_sigs and the kernel's own have none. */
static __always_inline bool has_address(int signal, int code)
{
	return code > 0 && code < SI_KERNEL && signal != SIGABRT;
}

/*
 * Before glibc aborts because of an error that it found itself, it leaves a message for debuggers: a mapping of its own,
 * of which the first word is its size (struct abort_msg_s in its stdlib/abort.c). It is the last that the process made.
 */
static __always_inline __u64 append_message(struct workspace *space, __u64 end, struct footprint *footprint, int signal)
{
	__u8 *at = &space->record[BELOW(RECORD_LIMIT, end)];
	__u32 size = 0;
	long length = 0;

	if (signal == SIGABRT && footprint && !bpf_probe_read_user(&size, sizeof(size), (void *)footprint->last_map) &&
	    size == footprint->last_map_size)
		length = bpf_probe_read_user_str(at + BIN16_HEAD, MEMORY_FAULT_MESSAGE_LIMIT,
						 (void *)footprint->last_map + sizeof(size));
	length = length > 0 ? length - 1 : 0; /* without the closing NUL */
	put_bin16_head(at, length);
	return end + BIN16_HEAD + BELOW(MEMORY_FAULT_MESSAGE_LIMIT, length);
}

/* `address` counts only for signals that carry one. */
static __always_inline void observe_signal(void *context, int signal, int code, __u64 address, __u64 handler)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct task_struct *parent = parent_of(task);
	struct pt_regs *regs = user_registers(task);
	__u64 ip = user_ip(regs), sp = user_sp(regs);
	struct footprint *footprint;
	struct workspace *space;

	if (!makes_calls(task) || handler == SIG_IGN || !speaks_for(HOOK_SIGNAL, (__u64)task ^ ip ^ signal))
		return;
	footprint = make_footprint(task);
	space = enter_workspace();
	if (!space) {
		count(lane_of(task), MEMORY_FAULT, false);
		goto leave;
	}

	struct scratch *scratch = &space->scratch;
	struct region *target = &scratch->regions[AREA], *caller = &scratch->regions[CODE],
		      *stack = &scratch->regions[STACK];
	struct memory_fault *record = &scratch->fault;

	record->count = to_be_told(footprint, REPEATED_FAULT, pid_of(task));
	if (!record->count) {
		/* What ends a process is always told. */
		if (handler)
			goto leave;
		record->count = footprint ? footprint->counts[REPEATED_FAULT] : 1;
	}
	record->address = 0;
	if (has_address(signal, code))
		record->address = address;
	look_at(space->slot, CODE, ip);
	look_at(space->slot, STACK, sp);
	look_at(space->slot, AREA, record->address);
	record->timestamp = boot_time();
	record->pid = pid_of(task);
	record->tid = BPF_CORE_READ(task, pid);
	record->ppid = pid_of(parent);
	record->start = start_of(task);
	record->parent_start = start_of(parent);
	record->uid = BPF_CORE_READ(task, real_cred, uid.val);
	record->signal = signal;
	record->code = code;
	record->handled = !!handler;
	record->exposure = look_for_sockets(space->slot);
	record->cgroup = bpf_get_current_cgroup_id();
	record->ip = ip;
	record->sp = sp;
	record->address_area = target->kind;
	record->address_protection = target->protection;
	record->ip_area = caller->kind;
	record->ip_protection = caller->protection;
	record->sp_area = stack->kind;
	BPF_CORE_READ_INTO(&record->comm, task, group_leader, comm);
	put_memory_fault(space->record, record);

	__u64 end = append_file_of(space, MEMORY_FAULT_FIXED, CODE);

	end = append_message(space, end, footprint, signal);
	deliver(context, lane_of(task), MEMORY_FAULT, &space->length, space->record, BELOW(2 * RECORD_LIMIT, end));
leave:
	leave_workspace(space);
}

#endif
