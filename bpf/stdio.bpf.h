/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the standard streams of a task are connected to. */
#ifndef PYLOADER_STDIO_BPF_H
#define PYLOADER_STDIO_BPF_H

#include "records.bpf.h"

/* include/uapi/linux/stat.h */
#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFREG 0100000
#define S_IFCHR 0020000
#define S_IFIFO 0010000

/* include/linux/socket.h */
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10

/* Filled in memory, field by field: constants held in registers would multiply the paths that the verifier follows. */
struct stream {
	volatile __u32 kind; /* enum stdio */
	__u64 inode;	     /* of a pipe or socket, else 0 */
};

static __always_inline enum stdio socket_kind(struct file *file)
{
	struct socket *socket = BPF_CORE_READ(file, private_data);

	switch (BPF_CORE_READ(socket, sk, __sk_common.skc_family)) {
	case AF_INET:
	case AF_INET6:
		return STDIO_INET_SOCKET;
	case AF_UNIX:
		return STDIO_UNIX_SOCKET;
	default:
		return STDIO_OTHER_SOCKET;
	}
}

static __always_inline void read_stream(struct stream *stream, struct task_struct *task, unsigned int number)
{
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file **slots = BPF_CORE_READ(table, fd);
	struct file *file = NULL;

	stream->inode = 0;
	if (BPF_CORE_READ(table, max_fds) > number)
		bpf_probe_read_kernel(&file, sizeof(file), &slots[number]);
	if (!file) {
		stream->kind = STDIO_CLOSED;
		return;
	}

	struct inode *inode = BPF_CORE_READ(file, f_inode);

	switch (BPF_CORE_READ(inode, i_mode) & S_IFMT) {
	case S_IFSOCK:
		stream->kind = socket_kind(file);
		stream->inode = BPF_CORE_READ(inode, i_ino);
		break;
	case S_IFIFO:
		stream->kind = STDIO_PIPE;
		stream->inode = BPF_CORE_READ(inode, i_ino);
		break;
	case S_IFCHR:
		stream->kind = STDIO_CHARACTER;
		break;
	case S_IFREG:
		stream->kind = STDIO_FILE;
		break;
	default:
		stream->kind = STDIO_OTHER;
	}
}

#endif
