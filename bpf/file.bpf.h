/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What kind of file something is. */
#ifndef PYLOADER_FILE_BPF_H
#define PYLOADER_FILE_BPF_H

/* Files that the kernel made for itself and for memory have no directory above them. */
static __always_inline bool has_no_directory(struct dentry *dentry)
{
	return dentry == BPF_CORE_READ(dentry, d_parent);
}

static __always_inline bool is_memfd(struct dentry *dentry)
{
	const char prefix[] = "memfd:";
	char name[sizeof(prefix)] = {};

	if (!has_no_directory(dentry))
		return false;
	bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(dentry, d_name.name));
	for (unsigned int at = 0; at < sizeof(prefix); at++)
		if (name[at] != prefix[at])
			return false;
	return true;
}

#endif
