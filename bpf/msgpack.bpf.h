/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * MessagePack, written with fixed widths.
 *
 * Every number takes its widest form for its type, so that each field of a record lies at a constant offset and costs
 * one store of the marker and one of the value. Multi-byte values are big-endian on the wire. The buffers are map
 * values or ring memory, where both supported architectures allow unaligned stores.
 * Format: https://github.com/msgpack/msgpack/blob/master/spec.md
 */
#ifndef PYLOADER_MSGPACK_BPF_H
#define PYLOADER_MSGPACK_BPF_H

static __always_inline void put_array16(__u8 *at, __u16 elements)
{
	at[0] = 0xdc;
	*(__u16 *)(at + 1) = __builtin_bswap16(elements);
}

static __always_inline void put_u8(__u8 *at, __u8 value)
{
	at[0] = 0xcc;
	at[1] = value;
}

static __always_inline void put_u16(__u8 *at, __u16 value)
{
	at[0] = 0xcd;
	*(__u16 *)(at + 1) = __builtin_bswap16(value);
}

static __always_inline void put_u32(__u8 *at, __u32 value)
{
	at[0] = 0xce;
	*(__u32 *)(at + 1) = __builtin_bswap32(value);
}

static __always_inline void put_u64(__u8 *at, __u64 value)
{
	at[0] = 0xcf;
	*(__u64 *)(at + 1) = __builtin_bswap64(value);
}

static __always_inline void put_bin8(__u8 *at, const char *bytes, __u8 size)
{
	at[0] = 0xc4;
	at[1] = size;
	__builtin_memcpy(at + 2, bytes, size);
}

/* The bytes themselves follow at `at + BIN16_HEAD`. */
#define BIN16_HEAD 3
static __always_inline void put_bin16_head(__u8 *at, __u16 size)
{
	at[0] = 0xc5;
	*(__u16 *)(at + 1) = __builtin_bswap16(size);
}

#endif
