/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drain a BPF ring, or a perf buffer, into plain memory.
 *
 * A reader without atomics, such as Python, cannot walk a mapped ring itself: the header of a record must be read with
 * acquire semantics, or its content may still be unwritten on arm64. libbpf reads it right, but calls back for every
 * record, which from Python costs more than all the rest, and it gives the room of a record back at once. These
 * functions hand over whole batches, so that one foreign call moves thousands of records, and give their room back only
 * when they are told to: what a reader has taken and not acknowledged is there again for the next one, should it die.
 *
 * Records are those of pyloader: MessagePack arrays that begin with a tag and a timestamp (bpf/records.bpf.h).
 * A drain belongs to one thread at a time.
 */
#ifndef PYLOADER_DRAIN_H
#define PYLOADER_DRAIN_H

#include <stdint.h>

/* A batch of records: back to back in `bytes`, record i ends before offset ends[i]. The caller owns the memory. */
struct pyloader_batch {
	unsigned char *bytes;
	uint32_t *ends;
	uint32_t capacity;    /* of `bytes` */
	uint32_t max_records; /* room in `ends` */
	uint32_t size;	      /* bytes used */
	uint32_t count;	      /* records */
};

struct pyloader_ring;

/* Map the ring buffer behind `map_fd`, which has `size` bytes. Returns NULL and sets errno on failure. */
struct pyloader_ring *pyloader_ring__new(int map_fd, uint32_t size);

/*
 * Append committed records to the batch, in order and never a part of one, up to the first that was stamped after
 * `horizon`, and as many as there is room for. Returns 1 if it stopped for want of room, else 0.
 */
int pyloader_ring__read(struct pyloader_ring *ring, struct pyloader_batch *batch, uint64_t horizon);

/* Return the timestamp of the next record to read, or UINT64_MAX if none is committed. */
uint64_t pyloader_ring__oldest(const struct pyloader_ring *ring);

/* Return the position behind the last record that was read. */
uint64_t pyloader_ring__position(const struct pyloader_ring *ring);

/* Go on reading at a position that an earlier reader returned; one that is not in the ring any more is ignored. */
void pyloader_ring__seek(struct pyloader_ring *ring, uint64_t position);

/* Give back the room of all records that were read. */
void pyloader_ring__acknowledge(struct pyloader_ring *ring);

/* Return the number of bytes that are not acknowledged, record headers included. */
uint64_t pyloader_ring__pending(const struct pyloader_ring *ring);

/* Unmap the ring. NULL is allowed. */
void pyloader_ring__free(struct pyloader_ring *ring);

struct pyloader_perf;

/*
 * Open a perf buffer of `bytes_per_cpu` (a power of two of pages) for each CPU on a perf event array. Each sample
 * begins with the length of the record behind it, a 32-bit integer, because perf pads samples.
 */
struct pyloader_perf *pyloader_perf__new(int map_fd, uint32_t bytes_per_cpu);

/* Return a descriptor that polls readable while records wait. */
int pyloader_perf__epoll_fd(const struct pyloader_perf *perf);

/*
 * Append records to the batch, CPU by CPU. A buffer can only be read whole, so a CPU is left for the next time when
 * there might not be room for all that it holds. Returns 1 if that happened, else 0, or a negative error number.
 */
int pyloader_perf__read(struct pyloader_perf *perf, struct pyloader_batch *batch);

/* Close the perf buffer. NULL is allowed. */
void pyloader_perf__free(struct pyloader_perf *perf);

#endif
