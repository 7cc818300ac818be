#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <webp/decode.h>
#include <webp/encode.h>

static codec_status answer(VP8StatusCode code, char *message) {
  switch (code) {
    case VP8_STATUS_OK:
      return CODEC_OK;
    case VP8_STATUS_OUT_OF_MEMORY:
      codec_say(message, "memory ran out");
      return CODEC_NO_MEMORY;
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
      codec_say(message, "the file ends early");
      return CODEC_DAMAGED;
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      codec_say(message, "it uses a feature that libwebp does not read");
      return CODEC_UNSUPPORTED;
    default:
      codec_say(message, "its picture data are inconsistent");
      return CODEC_DAMAGED;
  }
}

// The EXIF chunk of an extended WebP file: RIFF chunks after the 12-byte file header.
static void find_exif(const uint8_t *bytes, size_t length, codec_picture *out) {
  size_t at = 12;
  while (at + 8 <= length) {
    const uint8_t *head = bytes + at;
    size_t size = (size_t)head[4] | (size_t)head[5] << 8 | (size_t)head[6] << 16
                  | (size_t)head[7] << 24;
    at += 8;
    if (size > length - at) return;
    if (memcmp(head, "EXIF", 4) == 0) {
      codec_keep_exif(out, bytes + at, size);
      return;
    }
    at += size + (size & 1);
  }
}

codec_status codec_decode_webp(
    const uint8_t *bytes, size_t length, uint64_t max_pixels, codec_picture *out) {
  memset(out, 0, sizeof *out);
  WebPDecoderConfig config;
  if (!WebPInitDecoderConfig(&config)) {
    codec_say(out->message, "the installed libwebp does not fit this build");
    return CODEC_UNSUPPORTED;
  }
  codec_status status = answer(WebPGetFeatures(bytes, length, &config.input), out->message);
  if (status != CODEC_OK) return status;
  if (config.input.has_animation) {
    codec_say(out->message, "animations are not read, only still pictures");
    return CODEC_UNSUPPORTED;
  }
  uint32_t width = (uint32_t)config.input.width, height = (uint32_t)config.input.height;
  if ((uint64_t)width * height > max_pixels) return codec_too_large(out, width, height);

  out->width = width;
  out->height = height;
  out->channels = config.input.has_alpha ? 4 : 3;
  size_t row = (size_t)width * out->channels;
  out->pixels = malloc(row * height);
  if (!out->pixels) {
    codec_say(out->message, "memory ran out");
    return CODEC_NO_MEMORY;
  }
  config.output.colorspace = config.input.has_alpha ? MODE_RGBA : MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA.rgba = out->pixels;
  config.output.u.RGBA.stride = (int)row;
  config.output.u.RGBA.size = row * height;
  status = answer(WebPDecode(bytes, length, &config), out->message);
  WebPFreeDecBuffer(&config.output);
  if (status == CODEC_OK)
    find_exif(bytes, length, out);
  else
    codec_release(out);
  return status;
}

codec_status codec_encode_webp(
    const uint8_t *pixels, uint32_t width, uint32_t height, uint32_t channels, codec_bytes *out) {
  memset(out, 0, sizeof *out);
  if (width > WEBP_MAX_DIMENSION || height > WEBP_MAX_DIMENSION) {
    codec_say(out->message, "WebP holds at most %d pixels a side", WEBP_MAX_DIMENSION);
    return CODEC_UNSUPPORTED;
  }
  uint8_t *encoded = NULL;
  int row = (int)(width * channels);
  size_t length = channels == 4
                      ? WebPEncodeLosslessRGBA(pixels, (int)width, (int)height, row, &encoded)
                      : WebPEncodeLosslessRGB(pixels, (int)width, (int)height, row, &encoded);
  int copied = length > 0 && codec_bytes_append(out, encoded, length);
  WebPFree(encoded);
  if (copied) return CODEC_OK;
  codec_say(out->message, "memory ran out");
  return CODEC_NO_MEMORY;
}
