/* SPDX-License-Identifier: Apache-2.0 */
#include "drain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

struct pyloader_drain {
	struct ring_buffer *ring;
	uint32_t max_record;
	uint64_t refused;

	/* The batch that is being read; set by every read before the ring is touched. */
	unsigned char *buffer;
	uint32_t used;
	uint32_t *ends;
	uint32_t count;
};

/* Append one record to the batch. The caller has made sure that a record of `max_record` bytes fits. */
static int take(void *context, void *record, size_t size)
{
	struct pyloader_drain *drain = context;

	if (size > drain->max_record) {
		drain->refused++;
		return 0;
	}
	memcpy(drain->buffer + drain->used, record, size);
	drain->used += size;
	drain->ends[drain->count++] = drain->used;
	return 0;
}

struct pyloader_drain *pyloader_drain__new(int ring_map_fd, uint32_t max_record)
{
	struct pyloader_drain *drain;

	if (!max_record) {
		errno = EINVAL;
		return NULL;
	}
	drain = calloc(1, sizeof(*drain));
	if (!drain)
		return NULL;
	drain->max_record = max_record;
	drain->ring = ring_buffer__new(ring_map_fd, take, drain, NULL);
	if (!drain->ring) {
		int error = errno;

		free(drain);
		errno = error;
		return NULL;
	}
	return drain;
}

void pyloader_drain__free(struct pyloader_drain *drain)
{
	if (!drain)
		return;
	ring_buffer__free(drain->ring);
	free(drain);
}

int pyloader_drain__epoll_fd(const struct pyloader_drain *drain)
{
	return ring_buffer__epoll_fd(drain->ring);
}

/* Return for how many records of the greatest size there is surely room, in bytes and in `ends`. */
static uint32_t room(const struct pyloader_drain *drain, uint32_t capacity, uint32_t max_records)
{
	uint32_t by_size = (capacity - drain->used) / drain->max_record;
	uint32_t by_count = max_records - drain->count;

	return by_size < by_count ? by_size : by_count;
}

int pyloader_drain__read(struct pyloader_drain *drain, void *buffer, uint32_t capacity, uint32_t *ends,
			 uint32_t max_records)
{
	uint32_t wanted;

	drain->buffer = buffer;
	drain->used = 0;
	drain->ends = ends;
	drain->count = 0;

	if (!room(drain, capacity, max_records))
		return -EINVAL;

	/*
	 * ring_buffer__consume_n() moves past a record even when its callback fails, so a record cannot be handed back:
	 * it is only asked for as many as surely fit. Records are mostly far shorter than the greatest size, so room is
	 * left after each round, and the rounds go on until a round finds the ring empty.
	 */
	while ((wanted = room(drain, capacity, max_records))) {
		int consumed = ring_buffer__consume_n(drain->ring, wanted);

		if (consumed < 0)
			return drain->count ? (int)drain->count : consumed;
		if ((uint32_t)consumed < wanted)
			break;
	}
	return drain->count;
}

uint64_t pyloader_drain__pending(const struct pyloader_drain *drain)
{
	return ring__avail_data_size(ring_buffer__ring(drain->ring, 0));
}

uint64_t pyloader_drain__refused(const struct pyloader_drain *drain)
{
	return drain->refused;
}
