// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The memory monitor for kernels without BTF of their own, whose types come from a file (`--btf`); see workspace.bpf.h.
 */
#define WITHOUT_KERNEL_FUNCTIONS

#include "memory_monitor.bpf.c"
