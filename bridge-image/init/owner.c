#include "owner.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
  READ_BYTES = 64 * 1024,
  DEFAULT_LEASE_MS = 30 * 1000,
};

void owner_init(Owner *owner, const char *path, const uint8_t *secret) {
  *owner = (Owner){.path = path, .secret = secret, .fd = -1, .lease_ms = DEFAULT_LEASE_MS};
}

static void put_hello(Owner *owner, const Streams *streams) {
  uint8_t *at = owner->head;
  put_header(at, FRAME_HELLO, HELLO_BYTES);
  at += HEADER_BYTES;
  put_u32(at, PROTOCOL_VERSION);
  memcpy(at + 4, owner->secret, SECRET_BYTES);
  at += 4 + SECRET_BYTES;
  put_u64(at, streams->output_first);
  put_u64(at + 8, streams_output_end(streams));
  put_u64(at + 16, streams->lines_taken);
  owner->head_length = HEADER_BYTES + HELLO_BYTES;
}

void owner_connect(Owner *owner, const Streams *streams) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(owner->path) >= sizeof address.sun_path) return;
  strcpy(address.sun_path, owner->path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return;
  if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
    close(fd);
    return;
  }
  owner->fd = fd;
  frames_reset(&owner->reader);
  owner->head_done = owner->body_left = 0;
  owner->is_welcome = owner->output_end_told = owner->exit_told = owner->said_bye = false;
  put_hello(owner, streams);
}

void owner_hang_up(Owner *owner, Streams *streams) {
  if (owner->fd >= 0) close(owner->fd);
  owner->fd = -1;
  owner->is_welcome = false;
  streams_drop_half_line(streams);
  streams->input_written = 0;  // who comes next has sent nothing of it
}

typedef struct {
  Owner *owner;
  Streams *streams;
} Both;

static bool take_welcome(Owner *owner, Streams *streams, const uint8_t *payload) {
  uint64_t from = get_u64(payload + 12);
  if (owner->is_welcome || from < streams->output_first || from > streams_output_end(streams)) return false;
  owner->lease_ms = get_u32(payload);
  streams->keep = get_u32(payload + 4);
  streams->keep_line = get_u32(payload + 8);
  owner->sent = from;
  owner->is_welcome = true;
  return true;
}

static bool take_frame(void *context, uint8_t type, const uint8_t *payload, size_t count) {
  (void)count;
  Owner *owner = ((Both *)context)->owner;
  Streams *streams = ((Both *)context)->streams;
  if (type == FRAME_WELCOME) return take_welcome(owner, streams, payload);
  if (!owner->is_welcome) return false;
  switch (type) {
    case FRAME_ACK: {
      uint64_t offset = get_u64(payload);
      return offset <= owner->sent && streams_acknowledge(streams, offset);
    }
    case FRAME_END: streams->input_ends = true; return true;
    default: owner->said_bye = true; return true;
  }
}

static bool take_input(void *context, const uint8_t *piece, size_t count, bool is_last) {
  Both *both = context;
  return both->owner->is_welcome && streams_take_input(both->streams, piece, count, is_last);
}

void owner_receive(Owner *owner, Streams *streams) {
  static uint8_t bytes[READ_BYTES];
  Both both = {owner, streams};
  FrameSink sink = {take_input, take_frame, &both};
  ssize_t count = recv(owner->fd, bytes, sizeof bytes, 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0 || !frames_take(&owner->reader, bytes, (size_t)count, &sink)) owner_hang_up(owner, streams);
}

bool owner_waits_for_room(const Owner *owner) {
  return owner->head_done < owner->head_length || owner->body_left > 0;
}
