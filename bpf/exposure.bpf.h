/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whether a process faces the network: the TCP sockets among its first descriptors. Asked only for what is reported. */
#ifndef PYLOADER_EXPOSURE_BPF_H
#define PYLOADER_EXPOSURE_BPF_H

#include "records.bpf.h"
#include "stdio.bpf.h"

#define DESCRIPTORS_LOOKED_AT 32

/* include/net/tcp_states.h */
#define TCP_ESTABLISHED 1
#define TCP_LISTEN 10

struct exposure_scan {
	volatile __u32 found; /* enum exposure; in memory for the reason given at struct stream */
};

static __always_inline __u32 exposure_of(struct exposure_scan *scan, struct task_struct *task)
{
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file **slots = BPF_CORE_READ(table, fd);
	__u32 limit = BPF_CORE_READ(table, max_fds);

	scan->found = 0;
	for (__u32 descriptor = 0; descriptor < DESCRIPTORS_LOOKED_AT; descriptor++) {
		struct file *file = NULL;

		if (descriptor >= limit)
			break;
		if (bpf_probe_read_kernel(&file, sizeof(file), &slots[descriptor]) || !file)
			continue;
		if ((BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK || socket_kind(file) != STDIO_INET_SOCKET)
			continue;

		struct socket *socket = BPF_CORE_READ(file, private_data);
		unsigned char state = BPF_CORE_READ(socket, sk, __sk_common.skc_state);

		if (state == TCP_LISTEN)
			scan->found |= EXPOSURE_LISTENS;
		else if (state == TCP_ESTABLISHED)
			scan->found |= EXPOSURE_CONNECTED;
	}
	return scan->found;
}

#endif
