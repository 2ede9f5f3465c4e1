/* SPDX-License-Identifier: Apache-2.0 */
#include "drain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

/* The header of a sample and the two lengths in it: no sample is shorter (struct perf_event_header, perf_event.h). */
#define LEAST_SAMPLE 16

struct pyloader_drain {
	struct ring_buffer *rings; /* or NULL for */
	struct perf_buffer *perf;
	uint32_t ring_count;
	uint32_t bytes_per_cpu;
	size_t next_cpu; /* where the next read of a perf buffer begins */
	uint32_t max_record;
	uint64_t refused;

	/* The batch that is being read; set by every read before a ring is touched. */
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

static void take_sample(void *context, int cpu, void *sample, uint32_t size)
{
	struct pyloader_drain *drain = context;
	uint32_t length = UINT32_MAX;

	(void)cpu;
	if (size >= sizeof(length))
		memcpy(&length, sample, sizeof(length));
	if (length > size - sizeof(length))
		drain->refused++;
	else
		take(drain, (char *)sample + sizeof(length), length);
}

static struct pyloader_drain *allocate(uint32_t max_record)
{
	struct pyloader_drain *drain;

	if (!max_record) {
		errno = EINVAL;
		return NULL;
	}
	drain = calloc(1, sizeof(*drain));
	if (drain)
		drain->max_record = max_record;
	return drain;
}

static struct pyloader_drain *give_up(struct pyloader_drain *drain)
{
	int error = errno;

	pyloader_drain__free(drain);
	errno = error;
	return NULL;
}

struct pyloader_drain *pyloader_drain__new(const int *ring_map_fds, uint32_t count, uint32_t max_record)
{
	struct pyloader_drain *drain = allocate(max_record);

	if (!drain)
		return NULL;
	for (; drain->ring_count < count; drain->ring_count++) {
		int fd = ring_map_fds[drain->ring_count];

		if (drain->rings) {
			int error = ring_buffer__add(drain->rings, fd, take, drain);

			if (error) {
				errno = -error;
				return give_up(drain);
			}
		} else {
			drain->rings = ring_buffer__new(fd, take, drain, NULL);
			if (!drain->rings)
				return give_up(drain);
		}
	}
	if (!count) {
		errno = EINVAL;
		return give_up(drain);
	}
	return drain;
}

struct pyloader_drain *pyloader_drain__new_perf(int perf_map_fd, uint32_t bytes_per_cpu, uint32_t max_record)
{
	struct pyloader_drain *drain = allocate(max_record);

	if (!drain)
		return NULL;
	drain->bytes_per_cpu = bytes_per_cpu;
	drain->perf = perf_buffer__new(perf_map_fd, bytes_per_cpu / sysconf(_SC_PAGESIZE), take_sample, NULL, drain,
				       NULL);
	return drain->perf ? drain : give_up(drain);
}

void pyloader_drain__free(struct pyloader_drain *drain)
{
	if (!drain)
		return;
	ring_buffer__free(drain->rings);
	perf_buffer__free(drain->perf);
	free(drain);
}

int pyloader_drain__epoll_fd(const struct pyloader_drain *drain)
{
	return drain->perf ? perf_buffer__epoll_fd(drain->perf) : ring_buffer__epoll_fd(drain->rings);
}

/* Return for how many records of the greatest size there is surely room, in bytes and in `ends`. */
static uint32_t room(const struct pyloader_drain *drain, uint32_t capacity, uint32_t max_records)
{
	uint32_t by_size = (capacity - drain->used) / drain->max_record;
	uint32_t by_count = max_records - drain->count;

	return by_size < by_count ? by_size : by_count;
}

/*
 * ring_buffer__consume_n() moves past a record even when its callback fails, so a record cannot be handed back: it is
 * only asked for as many as surely fit. Records are mostly far shorter than the greatest size, so room is left after
 * each round, and the rounds go on until a round finds the rings empty.
 */
static int read_rings(struct pyloader_drain *drain, uint32_t capacity, uint32_t max_records)
{
	uint32_t wanted = room(drain, capacity, max_records);

	if (!wanted)
		return -EINVAL;
	for (; wanted; wanted = room(drain, capacity, max_records)) {
		int consumed = ring_buffer__consume_n(drain->rings, wanted);

		if (consumed < 0)
			return drain->count ? (int)drain->count : consumed;
		if ((uint32_t)consumed < wanted)
			break;
	}
	return drain->count;
}

/* A perf buffer is consumed CPU by CPU and whole, so there must be room for all that one CPU may hold. */
static int read_perf(struct pyloader_drain *drain, uint32_t capacity, uint32_t max_records)
{
	uint32_t most_records = drain->bytes_per_cpu / LEAST_SAMPLE;
	size_t cpus = perf_buffer__buffer_cnt(drain->perf);

	if (capacity < drain->bytes_per_cpu || max_records < most_records)
		return -EINVAL;
	for (size_t visited = 0; visited < cpus; visited++) {
		int error;

		if (capacity - drain->used < drain->bytes_per_cpu || max_records - drain->count < most_records)
			break;
		error = perf_buffer__consume_buffer(drain->perf, drain->next_cpu);
		if (error < 0 && !drain->count)
			return error;
		drain->next_cpu = (drain->next_cpu + 1) % cpus;
	}
	return drain->count;
}

int pyloader_drain__read(struct pyloader_drain *drain, void *buffer, uint32_t capacity, uint32_t *ends,
			 uint32_t max_records)
{
	drain->buffer = buffer;
	drain->used = 0;
	drain->ends = ends;
	drain->count = 0;
	return drain->perf ? read_perf(drain, capacity, max_records) : read_rings(drain, capacity, max_records);
}

uint64_t pyloader_drain__pending(const struct pyloader_drain *drain)
{
	uint64_t bytes = 0;

	for (uint32_t ring = 0; ring < drain->ring_count; ring++)
		bytes += ring__avail_data_size(ring_buffer__ring(drain->rings, ring));
	return bytes;
}

uint64_t pyloader_drain__refused(const struct pyloader_drain *drain)
{
	return drain->refused;
}
