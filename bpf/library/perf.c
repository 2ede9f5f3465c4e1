/* SPDX-License-Identifier: Apache-2.0 */
#include "drain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

/* The header of a sample and the two lengths in it: no sample is shorter (struct perf_event_header, perf_event.h). */
#define LEAST_SAMPLE 16

struct pyloader_perf {
	struct perf_buffer *buffers;
	uint32_t bytes_per_cpu;
	size_t next_cpu; /* where the next read begins */
	struct pyloader_batch *batch;
};

/*
 * Append one record to the batch; pyloader_perf__read() has made sure that it fits. A sample that does not hold what it
 * says goes on as it is: the decoder will refuse and count it.
 */
static void take(void *context, int cpu, void *sample, uint32_t size)
{
	struct pyloader_batch *batch = ((struct pyloader_perf *)context)->batch;
	const unsigned char *record = sample;
	uint32_t length;

	(void)cpu;
	if (size >= sizeof(length)) {
		memcpy(&length, sample, sizeof(length));
		if (length <= size - sizeof(length)) {
			record += sizeof(length);
			size = length;
		}
	}
	memcpy(batch->bytes + batch->size, record, size);
	batch->size += size;
	batch->ends[batch->count++] = batch->size;
}

struct pyloader_perf *pyloader_perf__new(int map_fd, uint32_t bytes_per_cpu)
{
	struct pyloader_perf *perf = calloc(1, sizeof(*perf));

	if (!perf)
		return NULL;
	perf->bytes_per_cpu = bytes_per_cpu;
	/* Without a callback for losses: the programs count every sample that perf refuses. */
	perf->buffers = perf_buffer__new(map_fd, bytes_per_cpu / sysconf(_SC_PAGESIZE), take, NULL, perf, NULL);
	if (!perf->buffers) {
		int error = errno;

		free(perf);
		errno = error;
		return NULL;
	}
	return perf;
}

void pyloader_perf__free(struct pyloader_perf *perf)
{
	if (!perf)
		return;
	perf_buffer__free(perf->buffers);
	free(perf);
}

int pyloader_perf__epoll_fd(const struct pyloader_perf *perf)
{
	return perf_buffer__epoll_fd(perf->buffers);
}

static int has_room(const struct pyloader_perf *perf, const struct pyloader_batch *batch)
{
	return batch->capacity - batch->size >= perf->bytes_per_cpu &&
	       batch->max_records - batch->count >= perf->bytes_per_cpu / LEAST_SAMPLE;
}

int pyloader_perf__read(struct pyloader_perf *perf, struct pyloader_batch *batch)
{
	size_t cpus = perf_buffer__buffer_cnt(perf->buffers);

	perf->batch = batch;
	for (size_t visited = 0; visited < cpus; visited++) {
		int error;

		if (!has_room(perf, batch))
			return 1;
		error = perf_buffer__consume_buffer(perf->buffers, perf->next_cpu);
		if (error < 0)
			return error;
		perf->next_cpu = (perf->next_cpu + 1) % cpus;
	}
	return 0;
}
