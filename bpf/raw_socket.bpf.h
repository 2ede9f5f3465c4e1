/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sockets that bypass TCP and UDP: raw, packet and XDP sockets. */
#ifndef PYLOADER_RAW_SOCKET_BPF_H
#define PYLOADER_RAW_SOCKET_BPF_H

#include "charge.bpf.h"
#include "deliver.bpf.h"
#include "owner.bpf.h"
#include "socket.bpf.h"

#define CAP_NET_RAW 13 /* include/uapi/linux/capability.h */

/* The number of socket(2): arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h */
#if defined(__TARGET_ARCH_x86)
#define SYS_SOCKET 41
#elif defined(__TARGET_ARCH_arm64)
#define SYS_SOCKET 198
#endif

static __always_inline bool bypasses(int family, int type)
{
	return family == AF_PACKET || family == AF_XDP ||
	       ((family == AF_INET || family == AF_INET6) && type == SOCK_RAW);
}

static __always_inline void observe_socket(void *context, int family, int type, int protocol, __u32 net_namespace)
{
	struct owner owner = {};
	__u8 *at;

	type &= SOCK_TYPE_MASK;
	/* The old name of a packet socket, which the kernel understands to this day. */
	if (family == AF_INET && type == SOCK_PACKET)
		family = AF_PACKET;
	if (!bypasses(family, type) || !speaks_for(HOOK_SOCKET, bpf_get_current_pid_tgid()))
		return;
	read_owner(&owner);
	at = reserve(owner.lane, SOCKET_CREATED, SOCKET_CREATED_FIXED);
	if (!at)
		return;
	/* A packet socket names its protocol in network order (packet(7)). */
	if (family == AF_PACKET)
		protocol = __builtin_bswap16(protocol);

	struct socket_created record = {
		.timestamp = boot_time(),
		OWNED_BY(&owner),
		.net_namespace = net_namespace,
		.family = family,
		.protocol = protocol,
		.socket_type = type,
	};

	__builtin_memcpy(record.comm, owner.comm, sizeof(record.comm));
	put_socket_created(at, &record);
	submit(context, owner.lane, SOCKET_CREATED, at, SOCKET_CREATED_FIXED);
}

/* The capability is there; what for, the arguments of the system call tell. */
static __always_inline void observe_capability(void *context)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct pt_regs *registers = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
	__u32 net_namespace = BPF_CORE_READ(task, nsproxy, net_ns, ns.inum);

#if defined(__TARGET_ARCH_x86)
	if (BPF_CORE_READ(registers, orig_ax) == SYS_SOCKET)
		observe_socket(context, BPF_CORE_READ(registers, di), BPF_CORE_READ(registers, si),
			       BPF_CORE_READ(registers, dx), net_namespace);
#elif defined(__TARGET_ARCH_arm64)
	struct user_pt_regs *arguments = (void *)registers;

	if (BPF_CORE_READ(registers, syscallno) == SYS_SOCKET)
		observe_socket(context, BPF_CORE_READ(registers, orig_x0), BPF_CORE_READ(arguments, regs[1]),
			       BPF_CORE_READ(arguments, regs[2]), net_namespace);
#endif
}

static __always_inline void observe_descriptor(void *context, __u64 descriptor)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file **slots = BPF_CORE_READ(table, fd);
	struct file *file = NULL;
	struct socket *socket;
	struct sock *sk;

	if (BPF_CORE_READ(table, max_fds) > descriptor)
		bpf_probe_read_kernel(&file, sizeof(file), &slots[descriptor]);
	socket = BPF_CORE_READ(file, private_data);
	sk = BPF_CORE_READ(socket, sk);
	/* A packet socket keeps its protocol elsewhere. */
	observe_socket(context, family_of(sk), BPF_CORE_READ_BITFIELD_PROBED(sk, sk_type),
		       family_of(sk) == AF_PACKET ? 0 : protocol_of(sk), net_namespace_of(sk));
}

#endif
