/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The clock of all timestamps: it goes on while the host is suspended, as the start times of processes do. */
#ifndef PYLOADER_CLOCK_BPF_H
#define PYLOADER_CLOCK_BPF_H

/* The helper came with Linux 5.8; before that the clock that stops in suspend has to do. */
static __always_inline __u64 boot_time(void)
{
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_ktime_get_boot_ns))
		return bpf_ktime_get_boot_ns();
	return bpf_ktime_get_ns();
}

#endif
