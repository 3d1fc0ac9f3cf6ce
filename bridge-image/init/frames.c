#include "frames.h"

#include <string.h>

void put_u32(uint8_t *at, uint32_t value) {
  for (int i = 3; i >= 0; i--, value >>= 8) at[i] = (uint8_t)value;
}

void put_u64(uint8_t *at, uint64_t value) {
  put_u32(at, (uint32_t)(value >> 32));
  put_u32(at + 4, (uint32_t)value);
}

uint32_t get_u32(const uint8_t *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | (uint32_t)at[3];
}

uint64_t get_u64(const uint8_t *at) { return (uint64_t)get_u32(at) << 32 | get_u32(at + 4); }

void put_header(uint8_t *at, uint8_t type, size_t length) {
  memset(at, 0, HEADER_BYTES);
  at[0] = type;
  put_u32(at + 4, (uint32_t)length);
}

void frames_reset(FrameReader *reader) { memset(reader, 0, sizeof *reader); }

static bool is_length_of(uint8_t type, size_t length) {
  switch (type) {
    case FRAME_WELCOME: return length == WELCOME_BYTES;
    case FRAME_INPUT: return length > 0 && length <= MAX_INPUT_BYTES;
    case FRAME_ACK: return length == 8;
    case FRAME_END:
    case FRAME_BYE: return length == 0;
    default: return false;
  }
}

static bool begin_payload(FrameReader *reader) {
  const uint8_t *header = reader->header;
  reader->header_fill = 0;
  reader->small_fill = 0;
  reader->type = header[0];
  reader->left = get_u32(header + 4);
  reader->in_payload = true;
  return header[1] == 0 && header[2] == 0 && header[3] == 0 && is_length_of(reader->type, reader->left);
}

// Hands on a piece of the payload, and the frame once it is complete.
static bool take_payload(FrameReader *reader, const uint8_t *piece, size_t count, const FrameSink *sink) {
  reader->left -= count;
  bool is_last = reader->left == 0;
  if (is_last) reader->in_payload = false;
  if (reader->type == FRAME_INPUT) return sink->input(sink->context, piece, count, is_last);
  if (count > 0) memcpy(reader->small + reader->small_fill, piece, count);
  reader->small_fill += count;
  return !is_last || sink->frame(sink->context, reader->type, reader->small, reader->small_fill);
}

bool frames_take(FrameReader *reader, const uint8_t *bytes, size_t count, const FrameSink *sink) {
  size_t at = 0;
  while (at < count) {
    if (!reader->in_payload) {
      reader->header[reader->header_fill++] = bytes[at++];
      if (reader->header_fill < HEADER_BYTES) continue;
      if (!begin_payload(reader)) return false;
      if (reader->left == 0 && !take_payload(reader, NULL, 0, sink)) return false;
      continue;
    }
    size_t piece = count - at < reader->left ? count - at : reader->left;
    if (!take_payload(reader, bytes + at, piece, sink)) return false;
    at += piece;
  }
  return true;
}
