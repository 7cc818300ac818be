// PNG, JPEG and WebP between memory and 8-bit pixels: a plain-C layer over the system's libraries.
//
// Both PNG and JPEG libraries report errors by longjmp, which must not cross a Swift frame; it
// stays inside this target. Every function answers a codec_status and, where that is not
// CODEC_OK, a message for people.
#ifndef CCODECS_H
#define CCODECS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { CODEC_MESSAGE_SIZE = 256 };

typedef enum codec_status {
  CODEC_OK = 0,
  CODEC_DAMAGED = 1,      // the bytes are cut short or inconsistent
  CODEC_UNSUPPORTED = 2,  // well-formed, but of a kind that is not read here
  CODEC_TOO_LARGE = 3,    // more pixels than the caller allows; width and height are set
  CODEC_NO_MEMORY = 4,
} codec_status;

// What a decoder found. `pixels` and `exif` are malloc'ed, possibly NULL; codec_release frees both.
typedef struct codec_picture {
  uint32_t width;
  uint32_t height;
  uint32_t channels;  // 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA
  uint8_t *pixels;    // width * height * channels bytes, rows from top to bottom, interleaved
  uint8_t *exif;      // the file's EXIF block as stored, NULL if it has none
  size_t exif_length;
  char message[CODEC_MESSAGE_SIZE];
} codec_picture;

// What an encoder wrote. codec_bytes_release frees `bytes`.
typedef struct codec_bytes {
  uint8_t *bytes;
  size_t length;
  size_t capacity;
  char message[CODEC_MESSAGE_SIZE];
} codec_bytes;

codec_status codec_decode_png(
    const uint8_t *bytes, size_t length, uint64_t max_pixels, codec_picture *out);
codec_status codec_decode_jpeg(
    const uint8_t *bytes, size_t length, uint64_t max_pixels, codec_picture *out);
codec_status codec_decode_webp(
    const uint8_t *bytes, size_t length, uint64_t max_pixels, codec_picture *out);
void codec_release(codec_picture *picture);

// channels: 1, 3 or 4; compression: 0 (none) to 9 (smallest).
codec_status codec_encode_png(
    const uint8_t *pixels, uint32_t width, uint32_t height, uint32_t channels, int compression,
    codec_bytes *out);
// channels: 1 or 3; quality: 1 to 100.
codec_status codec_encode_jpeg(
    const uint8_t *pixels, uint32_t width, uint32_t height, uint32_t channels, int quality,
    codec_bytes *out);
// channels: 3 or 4; lossless.
codec_status codec_encode_webp(
    const uint8_t *pixels, uint32_t width, uint32_t height, uint32_t channels, codec_bytes *out);
void codec_bytes_release(codec_bytes *bytes);

#ifdef __cplusplus
}
#endif
#endif
