/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The absolute path of a file, as the mounts of its own namespace show it.
 *
 * bpf_d_path() is allowed in few hooks and in no tracepoint, so the dentries are walked upwards by hand (compare
 * prepend_path() in fs/d_path.c) and the names are laid down from the end of a buffer. A memfd has no directory above
 * it and keeps its bare name, "memfd:…".
 */
#ifndef PYLOADER_PATH_BPF_H
#define PYLOADER_PATH_BPF_H

#define PATH_SIZE 1024
#define PATH_DEPTH 40 /* directories and mounts together */
#define NAME_LIMIT 255

/*
 * The path stands in bytes[begin] to bytes[PATH_SIZE - 1]. `begin` is kept in memory and not in a register: a value
 * that was just loaded tells the verifier nothing, so the rounds of the loop look alike to it and are checked once.
 */
struct path_buffer {
	volatile __u32 begin;
	bool truncated; /* leading parts are missing */
	char bytes[PATH_SIZE + NAME_LIMIT + 1];
};

static __always_inline void write_path(struct path_buffer *buffer, struct file *file)
{
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	struct vfsmount *vfsmount = BPF_CORE_READ(file, f_path.mnt);
	struct mount *mount = (void *)vfsmount - bpf_core_field_offset(struct mount, mnt);

	buffer->begin = PATH_SIZE;
	buffer->truncated = true;
	for (int step = 0; step < PATH_DEPTH; step++) {
		struct dentry *parent = BPF_CORE_READ(dentry, d_parent);

		if (dentry == BPF_CORE_READ(mount, mnt.mnt_root)) {
			struct mount *above = BPF_CORE_READ(mount, mnt_parent);

			if (above == mount) {
				buffer->truncated = false;
				break;
			}
			dentry = BPF_CORE_READ(mount, mnt_mountpoint);
			mount = above;
			continue;
		}

		const unsigned char *name = BPF_CORE_READ(dentry, d_name.name);
		__u32 length = BPF_CORE_READ(dentry, d_name.len);
		__u32 at = buffer->begin;

		if (length > NAME_LIMIT || at < length + 1)
			break;
		at -= length;
		if (bpf_probe_read_kernel(&buffer->bytes[at & (PATH_SIZE - 1)], length & NAME_LIMIT, name))
			break;
		if (dentry == parent) {
			buffer->begin = at;
			buffer->truncated = false;
			break;
		}
		at--;
		buffer->bytes[at & (PATH_SIZE - 1)] = '/';
		buffer->begin = at;
		dentry = parent;
	}
}

#endif
