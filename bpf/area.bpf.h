/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The memory area at an address of a process, and what kind of memory it is.
 *
 * bpf_find_vma() is younger than many kernels and gives up where the memory map is locked, which is just where some
 * hooks are. So the tree of areas is walked by hand, without a lock: a change meanwhile can lead astray, but every read
 * is checked, the depth is bounded, and what is found must contain the address.
 */
#ifndef PYLOADER_AREA_BPF_H
#define PYLOADER_AREA_BPF_H

#include "file.bpf.h"
#include "records.bpf.h"
#include "registers.bpf.h"
#include "task.bpf.h"

/* include/linux/mm.h; the lowest bits are enum protection */
#define VM_PROTECTION 0xf
#define VM_GROWSDOWN 0x100

/* lib/maple_tree.c, include/linux/maple_tree.h, include/linux/xarray.h */
#define MAPLE_NODE_MASK 0xffUL
#define MAPLE_TYPE_SHIFT 3
#define MAPLE_TYPE_MASK 0xf
#define MAPLE_RANGE_64 2
#define MAPLE_ARANGE_64 3
#define MAPLE_WORDS 32
#define MAPLE_SLOTS 16
#define MAPLE_DEPTH 6 /* more areas than a process may have */
#define RB_DEPTH 40

/* Processes that a thread other than the leader forked: their main thread is on the copy of that thread's stack. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u8);
} forked_by_thread SEC(".maps");

/* Written to memory, field by field, for the reason given at struct stream. */
struct region {
	__u64 start;
	__u64 end;
	struct file *file;
	volatile __u32 kind;	   /* enum area */
	volatile __u32 protection; /* enum protection */
	volatile __u32 touched;	   /* has private pages: it holds what the process wrote */
};

struct tree_walk {
	__u64 node[MAPLE_WORDS];
	volatile __u64 entry;
	volatile __u32 pivots, slots; /* where they begin in the node, in words */
	volatile __u32 slot;
};

/* The root is marked as a node, unlike a lone area; nodes below it bear no mark. */
static __always_inline bool is_root_node(__u64 entry)
{
	return (entry & 3) == 2 && entry > 4096;
}

/*
 * mtree_range_walk() in lib/maple_tree.c: a node has pivots, the last index of each slot; the last pivot that is used
 * may be missing, as zero. The leaves hold the areas.
 */
static __always_inline struct vm_area_struct *search_maple(struct tree_walk *walk, struct mm_struct *mm, __u64 address)
{
	const __u32 pivots = bpf_core_field_offset(struct maple_range_64, pivot) / 8;
	const __u32 slots = bpf_core_field_offset(struct maple_range_64, slot) / 8;
	const __u32 wide_pivots = bpf_core_field_offset(struct maple_arange_64, pivot) / 8;
	const __u32 wide_slots = bpf_core_field_offset(struct maple_arange_64, slot) / 8;

	walk->entry = (__u64)BPF_CORE_READ(mm, mm_mt.ma_root);
	if (!is_root_node(walk->entry))
		return NULL;
	for (int depth = 0; depth < MAPLE_DEPTH; depth++) {
		__u64 entry = walk->entry;
		__u32 type = entry >> MAPLE_TYPE_SHIFT & MAPLE_TYPE_MASK;

		walk->pivots = pivots;
		walk->slots = slots;
		if (type == MAPLE_ARANGE_64) {
			walk->pivots = wide_pivots;
			walk->slots = wide_slots;
		}
		if (bpf_probe_read_kernel(walk->node, sizeof(walk->node), (void *)(entry & ~MAPLE_NODE_MASK)))
			return NULL;
		walk->slot = MAPLE_SLOTS - 1;
		for (__u32 slot = 0; slot < MAPLE_SLOTS; slot++) {
			__u32 pivot = walk->pivots + slot;
			__u64 last = walk->node[pivot & (MAPLE_WORDS - 1)];

			walk->slot = slot;
			/* Behind the pivots begin the slots: the last slot has no pivot. */
			if (pivot >= walk->slots || address <= last || (!last && slot))
				break;
		}
		walk->entry = walk->node[(walk->slots + walk->slot) & (MAPLE_WORDS - 1)];
		if (type < MAPLE_RANGE_64)
			return (void *)walk->entry;
	}
	return NULL;
}

/* find_vma() in mm/mmap.c until Linux 6.0. */
static __always_inline struct vm_area_struct *search_rb(struct tree_walk *walk, struct mm_struct *mm, __u64 address)
{
	struct mm_struct___with_rb *old = (void *)mm;

	walk->entry = (__u64)BPF_CORE_READ(old, mm_rb.rb_node);
	for (int depth = 0; depth < RB_DEPTH; depth++) {
		struct rb_node *node = (void *)walk->entry;
		struct vm_area_struct *vma = (void *)node - bpf_core_field_offset(struct vm_area_struct___in_rb, vm_rb);

		if (!node)
			return NULL;
		if (address >= BPF_CORE_READ(vma, vm_end))
			walk->entry = (__u64)BPF_CORE_READ(node, rb_right);
		else if (address < BPF_CORE_READ(vma, vm_start))
			walk->entry = (__u64)BPF_CORE_READ(node, rb_left);
		else
			return vma;
	}
	return NULL;
}

static __always_inline bool holds(const struct region *area, __u64 address)
{
	return area->start <= address && address < area->end;
}

/* The C libraries put the control block of a thread, but not that of the main thread, at the end of its stack. */
static __always_inline bool is_thread_stack(struct task_struct *task, const struct region *area)
{
	__u32 pid = pid_of(task);

	if (!holds(area, thread_pointer(task)))
		return false;
	return is_thread(task) || bpf_map_lookup_elem(&forked_by_thread, &pid);
}

static __always_inline void classify(struct region *area, struct task_struct *task, struct mm_struct *mm,
				     struct vm_area_struct *vma, __u64 flags)
{
	struct file *file = area->file;

	if (file) {
		struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);

		if (is_memfd(dentry))
			area->kind = AREA_MEMFD;
		else if (has_no_directory(dentry))
			area->kind = AREA_SHARED_MEMORY;
		else
			area->kind = AREA_FILE;
	} else if (BPF_CORE_READ(vma, vm_ops)) {
		area->kind = AREA_KERNEL;
	} else if (flags & VM_GROWSDOWN || holds(area, BPF_CORE_READ(mm, start_stack))) {
		area->kind = AREA_STACK;
	} else if (area->start < BPF_CORE_READ(mm, brk) && area->end > BPF_CORE_READ(mm, start_brk)) {
		area->kind = AREA_HEAP;
	} else if (is_thread_stack(task, area)) {
		area->kind = AREA_THREAD_STACK;
	}
}

static __always_inline void describe_area(struct region *area, struct task_struct *task, struct vm_area_struct *vma)
{
	__u64 flags = BPF_CORE_READ(vma, vm_flags);

	area->start = BPF_CORE_READ(vma, vm_start);
	area->end = BPF_CORE_READ(vma, vm_end);
	area->file = BPF_CORE_READ(vma, vm_file);
	area->protection = flags & VM_PROTECTION;
	area->touched = !!BPF_CORE_READ(vma, anon_vma);
	area->kind = AREA_ANONYMOUS;
	classify(area, task, BPF_CORE_READ(task, mm), vma, flags);
}

/* Finds the area of the current thread's process at an address; its kind is AREA_NONE if there is none. */
static __always_inline void find_area(struct region *area, struct tree_walk *walk, struct task_struct *task, __u64 address)
{
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	struct vm_area_struct *vma;

	if (bpf_core_field_exists(struct mm_struct, mm_mt))
		vma = search_maple(walk, mm, address);
	else
		vma = search_rb(walk, mm, address);
	if (vma)
		describe_area(area, task, vma);
	if (!vma || !holds(area, address)) {
		area->start = 0;
		area->end = 0;
		area->file = NULL;
		area->protection = 0;
		area->touched = false;
		area->kind = AREA_NONE;
	}
}

#endif
