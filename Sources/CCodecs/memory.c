#include "internal.h"

#include <stdlib.h>
#include <string.h>

void codec_release(codec_picture *picture) {
  free(picture->pixels);
  free(picture->exif);
  picture->pixels = NULL;
  picture->exif = NULL;
}

void codec_bytes_release(codec_bytes *bytes) {
  free(bytes->bytes);
  bytes->bytes = NULL;
  bytes->length = bytes->capacity = 0;
}

int codec_bytes_append(codec_bytes *out, const uint8_t *bytes, size_t length) {
  if (length > SIZE_MAX / 4 - out->length) return 0;
  size_t needed = out->length + length;
  if (needed > out->capacity) {
    size_t capacity = out->capacity ? out->capacity : 4096;
    while (capacity < needed) capacity *= 2;
    uint8_t *grown = realloc(out->bytes, capacity);
    if (!grown) return 0;
    out->bytes = grown;
    out->capacity = capacity;
  }
  if (length) memcpy(out->bytes + out->length, bytes, length);
  out->length = needed;
  return 1;
}

void codec_keep_exif(codec_picture *out, const uint8_t *bytes, size_t length) {
  if (out->exif || length == 0) return;
  out->exif = malloc(length);
  if (!out->exif) return;
  memcpy(out->exif, bytes, length);
  out->exif_length = length;
}

codec_status codec_too_large(codec_picture *out, uint32_t width, uint32_t height) {
  out->width = width;
  out->height = height;
  codec_say(out->message, "the picture is larger than the limit");
  return CODEC_TOO_LARGE;
}
