/* SPDX-License-Identifier: Apache-2.0 */
/* Things that happen at appointed times: nanoseconds of the monotonic clock. */
#ifndef PACE_H
#define PACE_H

#include <time.h>

#define SECOND 1000000000L

static inline long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * SECOND + time.tv_nsec;
}

static inline void wait_until(long time)
{
	struct timespec until = { time / SECOND, time % SECOND };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

#endif
