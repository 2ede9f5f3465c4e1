/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Facilities that are rare in ordinary programs and common in exploits. */
#ifndef PYLOADER_REQUEST_BPF_H
#define PYLOADER_REQUEST_BPF_H

#include "charge.bpf.h"
#include "footprint.bpf.h"
#include "registers.bpf.h"

#define CAP_SYS_PTRACE 19 /* include/uapi/linux/capability.h */

/* Until 6.3 kernel_cap_t was an array of two words; eight bytes from its beginning are right for both. */
static __always_inline __u64 effective_capabilities(struct task_struct *task)
{
	const struct cred *cred = BPF_CORE_READ(task, real_cred);
	__u64 capabilities = 0;

	bpf_core_read(&capabilities, sizeof(capabilities), &cred->cap_effective);
	return capabilities;
}

/* `name` is in user memory, or NULL. */
static __always_inline void observe_request(void *context, enum facility facility, long result, const char *name,
					    __u32 flags)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct workspace *space;
	struct memory_request *record;
	__u64 end = MEMORY_REQUEST_FIXED;

	if (result < 0 || !in_charge())
		return;
	space = enter_workspace();
	if (!space) {
		count(lane_of(task), MEMORY_REQUEST, false);
		goto leave;
	}
	record = &space->scratch.request;
	record->count = to_be_told(make_footprint(task), REPEATED_FACILITY + facility, pid_of(task));
	if (!record->count)
		goto leave;
	record->timestamp = boot_time();
	record->pid = pid_of(task);
	record->ppid = pid_of(parent_of(task));
	record->start = start_of(task);
	record->uid = BPF_CORE_READ(task, real_cred, uid.val);
	record->facility = facility;
	record->privileged = effective_capabilities(task) >> CAP_SYS_PTRACE & 1;
	record->flags = flags;
	BPF_CORE_READ_INTO(&record->comm, task, group_leader, comm);
	put_memory_request(space->record, record);
	end = append_user_string(space, end, name, MEMORY_REQUEST_NAME_LIMIT);
	deliver(context, lane_of(task), MEMORY_REQUEST, &space->length, space->record, BELOW(2 * RECORD_LIMIT, end));
leave:
	leave_workspace(space);
}

#endif
