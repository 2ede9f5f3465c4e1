/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What user space decides before it loads the programs (`SETTINGS_LAYOUT` in pyloader/monitors/prepare.py). The verifier takes
 * these for constants and leaves out the code that they rule out.
 */
#ifndef PYLOADER_SETTINGS_BPF_H
#define PYLOADER_SETTINGS_BPF_H

const volatile struct settings {
	__u32 perf_buffer; /* records go through a perf buffer instead of rings */
	__u32 generation;  /* see charge.bpf.h */
	__u8 object[32];   /* SHA-256 of the object file, for those who find the programs in the kernel */
	__u32 page_size;   /* of this host, in bytes */
	__u32 lanes;	   /* among how many workers records are shared out (lane.bpf.h) */
} settings SEC(".rodata.settings");

#endif
