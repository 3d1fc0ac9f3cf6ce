#include "secret.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "frames.h"

static const char NAME[] = "GANTRY_CHANNEL_SECRET";

bool close_to_others(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0; }

static int nibble(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  return -1;
}

bool take_secret(uint8_t *secret) {
  char *text = getenv(NAME);
  if (text == NULL) return false;
  size_t length = strlen(text);
  bool is_hex = length == 2 * SECRET_BYTES;
  for (size_t i = 0; is_hex && i < SECRET_BYTES; i++) {
    int high = nibble(text[2 * i]), low = nibble(text[2 * i + 1]);
    is_hex = high >= 0 && low >= 0;
    if (is_hex) secret[i] = (uint8_t)(high << 4 | low);
  }
  explicit_bzero(text, length);
  unsetenv(NAME);
  return is_hex;
}
