/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a system call comes from. Compiled programs call from the code of a file, on a stack of the thread; injected code
 * calls from memory that it was written to, and a chain of returns from a stack that it made up. Looked at only at a few
 * calls that every attack needs sooner or later.
 */
#ifndef PYLOADER_ORIGIN_BPF_H
#define PYLOADER_ORIGIN_BPF_H

#include "charge.bpf.h"
#include "footprint.bpf.h"
#include "look.bpf.h"

#define FRESH_CODE_NS (60 * 1000000000UL)
#define KERNEL_HALF (1UL << 63)

static __always_inline bool is_strange_code(struct task_struct *task, const struct region *area, __u64 ip)
{
	switch (area->kind) {
	case AREA_FILE:
	case AREA_KERNEL:
		return false;
	case AREA_MEMFD:
		/* A program that was executed from such a file is told by its exec. */
		return area->file != BPF_CORE_READ(task, mm, exe_file);
	default:
		/* The page of old system calls lies above all areas. */
		return !(ip & KERNEL_HALF);
	}
}

static __always_inline bool is_strange_stack(struct task_struct *task, const struct region *area, __u64 sp)
{
	__u64 signal_stack = BPF_CORE_READ(task, sas_ss_sp);

	if (area->kind == AREA_STACK || (area->kind == AREA_THREAD_STACK && sp <= thread_pointer(task)))
		return false;
	if (sp - signal_stack <= BPF_CORE_READ(task, sas_ss_size))
		return false;
	/* A child that shares its parent's memory until it executes, as posix_spawn() makes it, was given a stack. */
	return area->kind != AREA_ANONYMOUS || area->protection & PROTECTION_EXECUTE ||
	       !BPF_CORE_READ(task, vfork_done);
}

static __always_inline bool lies_in(const struct span *span, __u64 address)
{
	return span->start <= address && address < span->end;
}

static __always_inline void remember_origin(struct footprint *footprint, const struct region *code,
					    const struct region *stack)
{
	footprint->honest_code.start = code->start;
	footprint->honest_code.end = code->end;
	footprint->honest_stack.start = stack->start;
	footprint->honest_stack.end = stack->end;
}

static __always_inline void observe_call(void *context, enum call call)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct pt_regs *regs = user_registers(task);
	__u64 ip = user_ip(regs), sp = user_sp(regs), now = boot_time();
	struct footprint *footprint = footprint_of(task);
	struct workspace *space;

	if (!makes_calls(task) || !in_charge())
		return;
	/* Compilers at run time protect memory all day long, and always from the same place. */
	if (footprint && call != CALL_EXEC && call != CALL_CONNECT && lies_in(&footprint->honest_code, ip) &&
	    lies_in(&footprint->honest_stack, sp))
		return;
	space = enter_workspace();
	if (!space) {
		count(lane_of(task), CALL_ORIGIN, false);
		goto leave;
	}

	struct scratch *scratch = &space->scratch;
	struct region *code = &scratch->regions[CODE], *stack = &scratch->regions[STACK];
	struct call_origin *record = &scratch->origin;

	look_at(space->slot, CODE, ip);
	look_at(space->slot, STACK, sp);
	scratch->flags = 0;
	if (is_strange_code(task, code, ip))
		scratch->flags |= SUSPICION_CODE;
	if (is_strange_stack(task, stack, sp))
		scratch->flags |= SUSPICION_STACK;
	record->since_written = 0;
	if (footprint && footprint->written_code && now - footprint->written_code < FRESH_CODE_NS &&
	    (call == CALL_EXEC || call == CALL_CONNECT)) {
		scratch->flags |= SUSPICION_FRESH_CODE;
		record->since_written = now - footprint->written_code;
	}
	if (!scratch->flags) {
		if (footprint && stack->kind == AREA_STACK)
			remember_origin(footprint, code, stack);
		goto leave;
	}
	record->count = some_to_be_told(footprint, REPEATED_CALL + call, pid_of(task));
	if (!record->count)
		goto leave;
	record->timestamp = now;
	record->pid = pid_of(task);
	record->tid = BPF_CORE_READ(task, pid);
	record->ppid = pid_of(parent_of(task));
	record->start = start_of(task);
	record->uid = BPF_CORE_READ(task, real_cred, uid.val);
	record->call = call;
	record->suspicions = scratch->flags;
	record->exposure = look_for_sockets(space->slot);
	record->ip = ip;
	record->sp = sp;
	record->ip_area = code->kind;
	record->ip_protection = code->protection;
	record->sp_area = stack->kind;
	record->sp_protection = stack->protection;
	BPF_CORE_READ_INTO(&record->comm, task, group_leader, comm);
	put_call_origin(space->record, record);

	__u64 end = append_file_of(space, CALL_ORIGIN_FIXED, CODE);

	deliver(context, lane_of(task), CALL_ORIGIN, &space->length, space->record, BELOW(2 * RECORD_LIMIT, end));
leave:
	leave_workspace(space);
}

#endif
