// A queue of bytes: appended at the end, consumed at the front, memory only for what it holds.
#ifndef GANTRY_BUFFER_H
#define GANTRY_BUFFER_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
  uint8_t *data;
  size_t start;
  size_t end;
  size_t capacity;
} Buffer;

static inline size_t buffer_length(const Buffer *buffer) { return buffer->end - buffer->start; }
static inline uint8_t *buffer_front(const Buffer *buffer) { return buffer->data + buffer->start; }

// Makes room for so many bytes behind the end and returns where they go. Ends the process where there is no memory.
uint8_t *buffer_room(Buffer *buffer, size_t bytes);
void buffer_append(Buffer *buffer, const uint8_t *bytes, size_t count);
// Forgets bytes at the front; memory of an outlier is given back once it is empty.
void buffer_consume(Buffer *buffer, size_t count);
// Forgets bytes at the end.
void buffer_truncate(Buffer *buffer, size_t length);

#endif
