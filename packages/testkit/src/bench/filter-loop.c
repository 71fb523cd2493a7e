/* The same question in C: reads a set and scripts from a file, decodes and matches, and prints ns per script (median). */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define M 784931ull
#define P 19
#define ROTL(x, b) (((x) << (b)) | ((x) >> (64 - (b))))
#define ROUND                                                                                                          \
  v0 += v1; v2 += v3; v1 = ROTL(v1, 13) ^ v0; v3 = ROTL(v3, 16) ^ v2; v0 = ROTL(v0, 32);                               \
  v2 += v1; v0 += v3; v1 = ROTL(v1, 17) ^ v2; v3 = ROTL(v3, 21) ^ v0; v2 = ROTL(v2, 32);

static uint64_t word(const uint8_t *at) {
  uint64_t out;
  memcpy(&out, at, 8);
  return out;
}

static uint64_t siphash(uint64_t k0, uint64_t k1, const uint8_t *at, size_t length) {
  uint64_t v0 = k0 ^ 0x736f6d6570736575, v1 = k1 ^ 0x646f72616e646f6d;
  uint64_t v2 = k0 ^ 0x6c7967656e657261, v3 = k1 ^ 0x7465646279746573;
  const uint8_t *end = at + (length & ~7ull);
  uint64_t last = ((uint64_t)length << 56) | (word(end) & ((1ull << ((length & 7) << 3)) - 1));
  for (; at <= end; at += 8) {
    uint64_t w = at < end ? word(at) : last;
    v3 ^= w;
    ROUND ROUND
    v0 ^= w;
  }
  v2 ^= 0xff;
  ROUND ROUND ROUND ROUND
  return v0 ^ v1 ^ v2 ^ v3;
}

static int decode(const uint8_t *at, size_t length, uint32_t count, uint32_t *rests, uint32_t *starts) {
  uint64_t end = (uint64_t)length << 3, bit = 0, value = 0, floor = 0;
  uint32_t bucket = 0;
  starts[0] = 0;
  for (uint32_t i = 0; i < count; i++) {
    uint64_t quotient = 0;
    for (;;) {
      if (bit >= end) return 0;
      uint64_t window = __builtin_bswap64(word(at + (bit >> 3))) << (bit & 7);
      uint64_t ones = ~window == 0 ? 64 : (uint64_t)__builtin_clzll(~window);
      if (ones < 57) {
        quotient += ones;
        bit += ones + 1;
        break;
      }
      quotient += 57;
      bit += 57;
    }
    if (bit + P > end) return 0;
    value += (quotient << P) + ((__builtin_bswap64(word(at + (bit >> 3))) << (bit & 7)) >> (64 - P));
    bit += P;
    while (value >= floor + M) {
      if (++bucket >= count) return 0;
      floor += M;
      starts[bucket] = i;
    }
    rests[i] = (uint32_t)(value - floor);
  }
  while (bucket < count) starts[++bucket] = count;
  return 1;
}

static int match(uint64_t k0, uint64_t k1, const uint8_t *scripts, const uint32_t *offsets, uint32_t scriptCount,
                 uint32_t count, const uint32_t *rests, const uint32_t *starts) {
  for (uint32_t s = 0; s < scriptCount; s++) {
    uint64_t hash = siphash(k0, k1, scripts + offsets[s], offsets[s + 1] - offsets[s]);
    unsigned __int128 place = (unsigned __int128)hash * count;
    uint64_t bucket = (uint64_t)(place >> 64);
    uint32_t rest = (uint32_t)(((unsigned __int128)(uint64_t)place * M) >> 64);
    for (uint32_t i = starts[bucket]; i < starts[bucket + 1]; i++)
      if (rests[i] == rest) return 1;
  }
  return 0;
}

static int byValue(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* File: k0, k1 (u64), count, scriptCount, filterLength, scriptsLength (u32), offsets, scripts, filter; then 8 bytes. */
int main(int argc, char **argv) {
  if (argc != 3) return 64;
  FILE *file = fopen(argv[1], "rb");
  int times = atoi(argv[2]);
  if (!file || times < 1) return 66;
  uint64_t key[2];
  uint32_t n[4];
  if (fread(key, 8, 2, file) != 2 || fread(n, 4, 4, file) != 4) return 65;
  uint32_t *offsets = malloc((n[1] + 1ul) * 4), *rests = malloc(n[0] * 4ul), *starts = malloc((n[0] + 1ul) * 4);
  uint8_t *scripts = calloc(n[3] + 8ul, 1), *filter = calloc(n[2] + 8ul, 1);
  double *taken = malloc(sizeof(double) * (size_t)times);
  if (fread(offsets, 4, n[1] + 1ul, file) != n[1] + 1ul || fread(scripts, 1, n[3], file) != n[3] ||
      fread(filter, 1, n[2], file) != n[2])
    return 65;
  int matched = 0;
  for (int i = 0; i < times; i++) {
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    if (!decode(filter, n[2], n[0], rests, starts)) return 65;
    matched |= match(key[0], key[1], scripts, offsets, n[1], n[0], rests, starts);
    clock_gettime(CLOCK_MONOTONIC, &to);
    taken[i] = ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) / n[1];
  }
  qsort(taken, (size_t)times, sizeof(double), byValue);
  printf("%d %.3f\n", matched, taken[times / 2]);
  return 0;
}
