/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The registers with which the current thread entered the kernel: where it was, on which stack, and what it asked for.
 *
 * They lie at the end of the thread's kernel stack and are the same from whatever hook they are looked at, so that one
 * observation can stand behind a function, a probe and a tracepoint. At the exit of a system call the arguments are
 * still there. Programs of another word size pass theirs in other registers and are not understood.
 */
#ifndef PYLOADER_REGISTERS_BPF_H
#define PYLOADER_REGISTERS_BPF_H

#if defined(__TARGET_ARCH_x86)
#define SYSCALL_PREFIX "__x64_sys_"
#elif defined(__TARGET_ARCH_arm64)
#define SYSCALL_PREFIX "__arm64_sys_"
#endif

/* Before Linux 5.15, which has a helper: x86-64, and arm64 with pages of 4 KiB, have stacks of 16 KiB. */
#define KERNEL_STACK_SIZE (16 * 1024)

static __always_inline struct pt_regs *user_registers(struct task_struct *task)
{
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs))
		return (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
	return BPF_CORE_READ(task, stack) + KERNEL_STACK_SIZE - bpf_core_type_size(struct pt_regs);
}

#if defined(__TARGET_ARCH_x86)

static __always_inline __u64 user_ip(struct pt_regs *regs)
{
	return BPF_CORE_READ(regs, ip);
}

static __always_inline __u64 user_sp(struct pt_regs *regs)
{
	return BPF_CORE_READ(regs, sp);
}

/* The arguments of the system call, from 1 on. */
#define ARGUMENT_1(user) BPF_CORE_READ(user, di)
#define ARGUMENT_2(user) BPF_CORE_READ(user, si)
#define ARGUMENT_3(user) BPF_CORE_READ(user, dx)
#define ARGUMENT_4(user) BPF_CORE_READ(user, r10)
#define ARGUMENT_5(user) BPF_CORE_READ(user, r8)

/* The number of the system call. */
#define SYSCALL_PWRITE64 18
static __always_inline __u32 called(struct pt_regs *regs)
{
	return BPF_CORE_READ(regs, orig_ax);
}

/* Whether the thread is in a 32-bit system call, which 64-bit programs can make as well (int 0x80). */
#define TS_COMPAT 2 /* arch/x86/include/asm/thread_info.h */
static __always_inline bool is_compat(struct task_struct *task)
{
	return BPF_CORE_READ(task, thread_info.status) & TS_COMPAT;
}

static __always_inline __u64 thread_pointer(struct task_struct *task)
{
	return BPF_CORE_READ(task, thread.fsbase);
}

static __always_inline __u64 last_fault(struct task_struct *task)
{
	return BPF_CORE_READ(task, thread.cr2);
}

#elif defined(__TARGET_ARCH_arm64)

/* struct pt_regs begins with a struct user_pt_regs. */
static __always_inline struct user_pt_regs *user_part(struct pt_regs *regs)
{
	return (void *)regs;
}

static __always_inline __u64 user_ip(struct pt_regs *regs)
{
	return BPF_CORE_READ(user_part(regs), pc);
}

static __always_inline __u64 user_sp(struct pt_regs *regs)
{
	return BPF_CORE_READ(user_part(regs), sp);
}

/* The first register is also where the result is laid down, so its value at entry is kept beside. */
#define ARGUMENT_1(user) BPF_CORE_READ(user, orig_x0)
#define ARGUMENT_2(user) BPF_CORE_READ(user_part(user), regs[1])
#define ARGUMENT_3(user) BPF_CORE_READ(user_part(user), regs[2])
#define ARGUMENT_4(user) BPF_CORE_READ(user_part(user), regs[3])
#define ARGUMENT_5(user) BPF_CORE_READ(user_part(user), regs[4])

#define SYSCALL_PWRITE64 68
static __always_inline __u32 called(struct pt_regs *regs)
{
	return BPF_CORE_READ(regs, syscallno);
}

#define TIF_32BIT 22 /* arch/arm64/include/asm/thread_info.h */
static __always_inline bool is_compat(struct task_struct *task)
{
	return BPF_CORE_READ(task, thread_info.flags) >> TIF_32BIT & 1;
}

static __always_inline __u64 thread_pointer(struct task_struct *task)
{
	return BPF_CORE_READ(task, thread.uw.tp_value);
}

static __always_inline __u64 last_fault(struct task_struct *task)
{
	return BPF_CORE_READ(task, thread.fault_address);
}

#endif

#endif
