/*
 * SHA-1 (FIPS 180-4), which hardware identifiers are made of
 *
 * It protects nothing here.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "vmfwupdate.h"

#define BLOCK   64

static uint32_t rotate(uint32_t x, unsigned n)
{
    return x << n | x >> (32 - n);
}

static uint32_t mix(unsigned round, uint32_t b, uint32_t c, uint32_t d)
{
    switch (round / 20) {
    case 0:
        return ((b & c) | (~b & d)) + 0x5a827999;
    case 1:
        return (b ^ c ^ d) + 0x6ed9eba1;
    case 2:
        return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    default:
        return (b ^ c ^ d) + 0xca62c1d6;
    }
}

static void add_block(uint32_t state[5], const uint8_t block[BLOCK])
{
    uint32_t w[80], a = state[0], b = state[1], c = state[2], d = state[3],
             e = state[4];

    for (unsigned i = 0; i < 80; i++) {
        uint32_t t;

        w[i] = i < 16
            ? (uint32_t)block[i * 4] << 24 | block[i * 4 + 1] << 16 |
              block[i * 4 + 2] << 8 | block[i * 4 + 3]
            : rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
        t = rotate(a, 5) + mix(i, b, c, d) + e + w[i];
        e = d;
        d = c;
        c = rotate(b, 30);
        b = a;
        a = t;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
}

void sha1(Bytes bytes, uint8_t digest[SHA1_SIZE])
{
    uint32_t state[5] = {
        0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0
    };
    uint64_t bits = (uint64_t)bytes.size * 8;
    size_t at = 0, rest;
    uint8_t last[2 * BLOCK] = { 0 };

    for (; bytes.size - at >= BLOCK; at += BLOCK) {
        add_block(state, bytes.data + at);
    }
    rest = bytes.size - at;
    for (size_t i = 0; i < rest; i++) {
        last[i] = bytes.data[at + i];
    }
    last[rest] = 0x80;
    rest = rest < BLOCK - 8 ? BLOCK : 2 * BLOCK;
    for (unsigned i = 0; i < 8; i++) {
        last[rest - 1 - i] = bits >> (i * 8);
    }
    for (at = 0; at < rest; at += BLOCK) {
        add_block(state, last + at);
    }
    for (unsigned i = 0; i < SHA1_SIZE; i++) {
        digest[i] = state[i / 4] >> (24 - i % 4 * 8);
    }
}
