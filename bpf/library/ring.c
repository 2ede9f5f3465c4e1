/* SPDX-License-Identifier: Apache-2.0 */
#include "drain.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/bpf.h>

/*
 * The map shows, from its beginning: a page with the position of the consumer, which alone is writable; a page with the
 * position of the producer; and the data twice in a row, so that no record wraps (kernel/bpf/ringbuf.c).
 */
struct pyloader_ring {
	uint64_t *consumer;
	const uint64_t *producer;
	const unsigned char *data;
	uint64_t size;
	uint64_t next; /* the position of the next record to read */
	long page;
};

/* Each record stands behind its length, whose two upper bits are flags, and a word of the kernel's own. */
#define LENGTH_MASK (~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT))

/* array 16, two bytes of count; uint 8, tag; uint 64, the timestamp, big-endian. */
#define TIMESTAMP_OFFSET 6

struct pyloader_ring *pyloader_ring__new(int map_fd, uint32_t size)
{
	struct pyloader_ring *ring = calloc(1, sizeof(*ring));
	void *mapped;

	if (!ring)
		return NULL;
	ring->page = sysconf(_SC_PAGESIZE);
	ring->size = size;
	mapped = mmap(NULL, ring->page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	if (mapped == MAP_FAILED)
		goto failed;
	ring->consumer = mapped;
	mapped = mmap(NULL, ring->page + 2 * ring->size, PROT_READ, MAP_SHARED, map_fd, ring->page);
	if (mapped == MAP_FAILED)
		goto failed;
	ring->producer = mapped;
	ring->data = (const unsigned char *)mapped + ring->page;
	ring->next = __atomic_load_n(ring->consumer, __ATOMIC_ACQUIRE);
	return ring;
failed:;
	int error = errno;

	pyloader_ring__free(ring);
	errno = error;
	return NULL;
}

void pyloader_ring__free(struct pyloader_ring *ring)
{
	if (!ring)
		return;
	if (ring->consumer)
		munmap(ring->consumer, ring->page);
	if (ring->producer)
		munmap((void *)ring->producer, ring->page + 2 * ring->size);
	free(ring);
}

static uint64_t timestamp_of(const unsigned char *record, uint32_t length)
{
	uint64_t timestamp;

	if (length < TIMESTAMP_OFFSET + sizeof(timestamp))
		return 0;
	memcpy(&timestamp, record + TIMESTAMP_OFFSET, sizeof(timestamp));
	return be64toh(timestamp);
}

/* A record in the ring; `content` is NULL while it is being written. */
struct slot {
	const unsigned char *content;
	uint32_t length;
	int discarded;
};

static struct slot slot_at(const struct pyloader_ring *ring, uint64_t position)
{
	const unsigned char *header = ring->data + (position & (ring->size - 1));
	/* Pairs with the exchange of the length in bpf_ringbuf_commit(): the content is there when the bit is gone. */
	uint32_t marked = __atomic_load_n((const uint32_t *)header, __ATOMIC_ACQUIRE);

	return (struct slot){
		.content = marked & BPF_RINGBUF_BUSY_BIT ? NULL : header + BPF_RINGBUF_HDR_SZ,
		.length = marked & LENGTH_MASK,
		.discarded = !!(marked & BPF_RINGBUF_DISCARD_BIT),
	};
}

static uint64_t stride(struct slot slot)
{
	return (slot.length + BPF_RINGBUF_HDR_SZ + 7) & ~7ULL;
}

uint64_t pyloader_ring__oldest(const struct pyloader_ring *ring)
{
	uint64_t end = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);

	for (uint64_t position = ring->next; position < end;) {
		struct slot slot = slot_at(ring, position);

		if (!slot.content)
			break;
		if (!slot.discarded)
			return timestamp_of(slot.content, slot.length);
		position += stride(slot);
	}
	return UINT64_MAX;
}

int pyloader_ring__read(struct pyloader_ring *ring, struct pyloader_batch *batch, uint64_t horizon)
{
	uint64_t end = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);

	while (ring->next < end) {
		struct slot slot = slot_at(ring, ring->next);

		if (!slot.content)
			return 0;
		if (!slot.discarded) {
			if (timestamp_of(slot.content, slot.length) > horizon)
				return 0;
			if (batch->count == batch->max_records || slot.length > batch->capacity - batch->size)
				return 1;
			memcpy(batch->bytes + batch->size, slot.content, slot.length);
			batch->size += slot.length;
			batch->ends[batch->count++] = batch->size;
		}
		ring->next += stride(slot);
	}
	return 0;
}

uint64_t pyloader_ring__position(const struct pyloader_ring *ring)
{
	return ring->next;
}

void pyloader_ring__seek(struct pyloader_ring *ring, uint64_t position)
{
	if (position >= ring->next && position <= __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE))
		ring->next = position;
}

void pyloader_ring__acknowledge(struct pyloader_ring *ring)
{
	__atomic_store_n(ring->consumer, ring->next, __ATOMIC_RELEASE);
}

uint64_t pyloader_ring__pending(const struct pyloader_ring *ring)
{
	return __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE) - __atomic_load_n(ring->consumer, __ATOMIC_RELAXED);
}
