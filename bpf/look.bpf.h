/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The long walks, as functions of their own: the verifier checks such a function once for each program, whatever its
 * callers know, and not anew at each place where it is used. Linux 5.10 lets it take numbers only, so it is told which
 * workspace it shall use.
 */
#ifndef PYLOADER_LOOK_BPF_H
#define PYLOADER_LOOK_BPF_H

#include "area.bpf.h"
#include "exposure.bpf.h"

/* Finds the area at an address of the current process, into a region of the scratch. */
__noinline int look_at(__u32 slot, __u32 region, __u64 address)
{
	struct workspace *space = bpf_map_lookup_elem(&workspaces, &slot);

	if (space && region < REGIONS)
		find_area(&space->scratch.regions[region], &space->scratch.walk, (void *)bpf_get_current_task(), address);
	return 0;
}

/* Returns the exposure (enum exposure) of the current process. */
__noinline int look_for_sockets(__u32 slot)
{
	struct workspace *space = bpf_map_lookup_elem(&workspaces, &slot);

	return space ? exposure_of(&space->scratch.exposure, (void *)bpf_get_current_task()) : 0;
}

/* Writes the path of a region's file, if it has one, into the workspace. */
__noinline int look_for_path(__u32 slot, __u32 region)
{
	struct workspace *space = bpf_map_lookup_elem(&workspaces, &slot);
	struct file *file;

	if (!space || region >= REGIONS)
		return 0;
	space->path.begin = PATH_SIZE;
	file = space->scratch.regions[region].file;
	if (file)
		write_path(&space->path, file);
	return 0;
}

/* Appends the path of a region's file, or an empty one. */
static __always_inline __u64 append_file_of(struct workspace *space, __u64 end, __u32 region)
{
	look_for_path(space->slot, region);
	return append_written_path(space, end);
}

#endif
