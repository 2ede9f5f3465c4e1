/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Room to build a record of variable size: workspaces per CPU, because the verifier allows 512 bytes of stack.
 *
 * A monitor defines before it includes this: `struct scratch`, what it needs beside the record; and WORKSPACES, how
 * many programs may be at work on one CPU at the same time.
 *
 * A program must have its workspace for itself. Tracepoints disabled preemption until Linux 6.19 began to run them
 * preemptible; kernels that new have bpf_preempt_disable(). Programs on functions (fentry) are preemptible since 5.12,
 * and the other function came with 6.10: a monitor that has such programs has workspaces to spare, and each is marked
 * while it is used.
 *
 * libbpf looks for such a function in the kernel's own BTF and gives up where there is none, even though the function may
 * be missing. Objects for kernels without BTF define WITHOUT_KERNEL_FUNCTIONS.
 */
#ifndef PYLOADER_WORKSPACE_BPF_H
#define PYLOADER_WORKSPACE_BPF_H

#include "path.bpf.h"
#include "records.bpf.h"

#ifndef WITHOUT_KERNEL_FUNCTIONS
extern void bpf_preempt_disable(void) __weak __ksym;
extern void bpf_preempt_enable(void) __weak __ksym;
#endif

/* A record never grows past RECORD_LIMIT; the room behind it lets every append be bounded by a mask alone. */
#define RECORD_LIMIT 8192
#define APPEND_LIMIT 8192

struct workspace {
	volatile __u32 busy;
	__u32 slot;
	struct scratch scratch;
	__u32 length; /* of the record that follows it */
	__u8 record[RECORD_LIMIT + APPEND_LIMIT + BIN16_HEAD];
	struct path_buffer path;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WORKSPACES);
	__type(key, __u32);
	__type(value, struct workspace);
} workspaces SEC(".maps");

/* NULL if all are in use. leave_workspace() must follow in any case. */
static __always_inline struct workspace *enter_workspace(void)
{
#ifndef WITHOUT_KERNEL_FUNCTIONS
	if (bpf_ksym_exists(bpf_preempt_disable))
		bpf_preempt_disable();
#endif
	for (__u32 slot = 0; slot < WORKSPACES; slot++) {
		/* The counter stays in a register: Linux 5.10 does not follow numbers of four bytes on the stack. */
		__u32 key = slot;
		struct workspace *space = bpf_map_lookup_elem(&workspaces, &key);

		if (space && !space->busy) {
			space->busy = true;
			space->slot = slot;
			return space;
		}
	}
	return NULL;
}

static __always_inline void leave_workspace(struct workspace *space)
{
	if (space)
		space->busy = false;
#ifndef WITHOUT_KERNEL_FUNCTIONS
	if (bpf_ksym_exists(bpf_preempt_enable))
		bpf_preempt_enable();
#endif
}

/* Tells the verifier, and not only the compiler, that a value stays below a power of two. */
#define BELOW(limit, value)                                                                                           \
	({                                                                                                            \
		_Static_assert(((limit) & ((limit) - 1)) == 0, "a power of two");                                     \
		__u64 bounded = (value);                                                                              \
		asm volatile("%0 &= %1" : "+r"(bounded) : "i"((limit) - 1));                                          \
		bounded;                                                                                              \
	})

/*
 * Each append writes one variable field at `end` of the record and returns the new end. What cannot be read becomes
 * an empty field.
 */

static __always_inline __u64 append_string(struct workspace *space, __u64 end, const char *string, __u32 limit)
{
	__u8 *at = &space->record[BELOW(RECORD_LIMIT, end)];
	long size = bpf_probe_read_kernel_str(at + BIN16_HEAD, limit, string);
	__u64 length = size > 0 ? size - 1 : 0; /* without the closing NUL */

	put_bin16_head(at, length);
	return end + BIN16_HEAD + length;
}

static __always_inline __u64 append_user_string(struct workspace *space, __u64 end, const char *string, __u32 limit)
{
	__u8 *at = &space->record[BELOW(RECORD_LIMIT, end)];
	long size = bpf_probe_read_user_str(at + BIN16_HEAD, limit, string);
	__u64 length = size > 0 ? size - 1 : 0; /* without the closing NUL */

	put_bin16_head(at, length);
	return end + BIN16_HEAD + length;
}

static __always_inline __u64 append_written_path(struct workspace *space, __u64 end)
{
	__u8 *at = &space->record[BELOW(RECORD_LIMIT, end)];
	__u64 from = BELOW(2 * PATH_SIZE, space->path.begin);
	__u64 length = BELOW(2 * PATH_SIZE, PATH_SIZE - from);

	if (bpf_probe_read_kernel(at + BIN16_HEAD, length, &space->path.bytes[BELOW(PATH_SIZE, from)]))
		length = 0;
	put_bin16_head(at, length);
	return end + BIN16_HEAD + length;
}

static __always_inline __u64 append_path(struct workspace *space, __u64 end, struct file *file)
{
	write_path(&space->path, file);
	return append_written_path(space, end);
}

static __always_inline __u64 append_user_memory(struct workspace *space, __u64 end, unsigned long from, __u64 length,
						bool *unreadable)
{
	__u8 *at = &space->record[BELOW(RECORD_LIMIT, end)];

	length = BELOW(APPEND_LIMIT, length);
	*unreadable = bpf_probe_read_user(at + BIN16_HEAD, length, (void *)from);
	if (*unreadable)
		length = 0;
	put_bin16_head(at, length);
	return end + BIN16_HEAD + length;
}

#endif
