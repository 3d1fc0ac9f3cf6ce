#include "buffer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// What an empty buffer may keep: one read of a full pipe.
enum { KEPT_CAPACITY = 64 * 1024 };

static void move_to_front(Buffer *buffer) {
  if (buffer->start == 0) return;
  memmove(buffer->data, buffer_front(buffer), buffer_length(buffer));
  buffer->end -= buffer->start;
  buffer->start = 0;
}

uint8_t *buffer_room(Buffer *buffer, size_t bytes) {
  if (buffer->capacity - buffer->end >= bytes) return buffer->data + buffer->end;
  // Moved only where half is free, so that a byte is moved once on average, however small the steps.
  size_t length = buffer_length(buffer);
  if (length + bytes > buffer->capacity || buffer->start < buffer->capacity / 2) {
    size_t wanted = buffer->capacity < KEPT_CAPACITY / 2 ? KEPT_CAPACITY / 2 : buffer->capacity;
    while (wanted < length + bytes) wanted *= 2;
    if (wanted == buffer->capacity) wanted *= 2;
    move_to_front(buffer);
    uint8_t *grown = realloc(buffer->data, wanted);
    if (grown == NULL) _exit(70);
    buffer->data = grown;
    buffer->capacity = wanted;
  } else {
    move_to_front(buffer);
  }
  return buffer->data + buffer->end;
}

void buffer_append(Buffer *buffer, const uint8_t *bytes, size_t count) {
  if (count == 0) return;
  memcpy(buffer_room(buffer, count), bytes, count);
  buffer->end += count;
}

static void release_if_empty(Buffer *buffer) {
  if (buffer->start != buffer->end) return;
  buffer->start = buffer->end = 0;
  if (buffer->capacity <= KEPT_CAPACITY) return;
  free(buffer->data);
  buffer->data = NULL;
  buffer->capacity = 0;
}

void buffer_consume(Buffer *buffer, size_t count) {
  buffer->start += count;
  release_if_empty(buffer);
}

void buffer_truncate(Buffer *buffer, size_t length) {
  buffer->end = buffer->start + length;
  release_if_empty(buffer);
}
