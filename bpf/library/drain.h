/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drain BPF rings, or a perf buffer, into plain memory.
 *
 * A reader without atomics, such as Python, cannot walk a mapped ring itself: the header of a record must be read with
 * acquire semantics, or its content may still be unwritten on arm64. libbpf reads it right, but calls back for every
 * record, which from Python costs more than all the rest. These functions do the walk here and hand over whole batches,
 * so that one foreign call moves thousands of records.
 *
 * A drain belongs to one thread at a time.
 */
#ifndef PYLOADER_DRAIN_H
#define PYLOADER_DRAIN_H

#include <stdint.h>

struct pyloader_drain;

/*
 * Open a drain on `count` ring buffer maps, whose records are never longer than `max_record` bytes. The drain keeps its
 * own mappings; the descriptors may be closed after the drain is freed, not before.
 * Returns NULL and sets errno on failure.
 */
struct pyloader_drain *pyloader_drain__new(const int *ring_map_fds, uint32_t count, uint32_t max_record);

/*
 * Open a drain on a perf event array, with a buffer of `bytes_per_cpu` (a power of two of pages) for each CPU. Each
 * sample begins with the length of the record behind it, a 32-bit integer, because perf pads samples.
 */
struct pyloader_drain *pyloader_drain__new_perf(int perf_map_fd, uint32_t bytes_per_cpu, uint32_t max_record);

/* Close the drain. NULL is allowed. */
void pyloader_drain__free(struct pyloader_drain *drain);

/*
 * Return a descriptor that polls readable while records wait. It also does so while the oldest record is still being
 * written, when a read returns 0: callers should pause then instead of polling again at once.
 */
int pyloader_drain__epoll_fd(const struct pyloader_drain *drain);

/*
 * Copy committed records back to back into `buffer`, in the order of each ring, one ring after the other, and never a
 * part of one. `ends[i]` becomes the offset just past record i. Reading stops when nothing more is committed, when
 * `max_records` are copied, or when there might not be room for the next record, or for a perf buffer of one CPU.
 *
 * Returns the number of records copied, 0 when none is ready, or -EINVAL when not even one record, or the perf buffer
 * of one CPU, could ever fit.
 */
int pyloader_drain__read(struct pyloader_drain *drain, void *buffer, uint32_t capacity, uint32_t *ends,
			 uint32_t max_records);

/* Return the number of bytes that wait in the rings, record headers included; 0 for a perf buffer, which cannot tell. */
uint64_t pyloader_drain__pending(const struct pyloader_drain *drain);

/* Return how many records were longer than `max_record` and therefore thrown away. Anything but 0 is a bug. */
uint64_t pyloader_drain__refused(const struct pyloader_drain *drain);

#endif
