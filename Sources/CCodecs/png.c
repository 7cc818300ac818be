#include "internal.h"

#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

typedef struct reader {
  const uint8_t *bytes;
  size_t length;
  size_t position;
  codec_picture *out;
  codec_status status;
  png_bytep *rows;
} reader;

// libpng hands the same message pointer to both directions' handlers.
static void on_error(png_structp png, png_const_charp text) {
  codec_say((char *)png_get_error_ptr(png), "%s", text);
  png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text) {
  (void)png;
  (void)text;
}

static void read_bytes(png_structp png, png_bytep into, size_t count) {
  reader *source = png_get_io_ptr(png);
  if (count > source->length - source->position) png_error(png, "the file ends early");
  memcpy(into, source->bytes + source->position, count);
  source->position += count;
}

static void fail(png_structp png, reader *source, codec_status status, const char *text) {
  source->status = status;
  png_error(png, text);
}

// Everything between setjmp and longjmp: locals here are never read after a jump.
static void decode(png_structp png, png_infop info, reader *source, uint64_t max_pixels) {
  codec_picture *out = source->out;
  png_set_read_fn(png, source, read_bytes);
  png_set_user_limits(png, 0x7fffffff, 0x7fffffff);  // the caller's limit is checked below
  png_set_chunk_malloc_max(png, 8 << 20);
  png_set_chunk_cache_max(png, 128);
  png_read_info(png, info);

  uint32_t width = png_get_image_width(png, info);
  uint32_t height = png_get_image_height(png, info);
  if ((uint64_t)width * height > max_pixels) {
    source->status = codec_too_large(out, width, height);
    png_error(png, "the picture is larger than the limit");
  }
  // Deflate expands at most 1032 times, so a short file can not hold a large picture.
  uint64_t raw = ((uint64_t)png_get_rowbytes(png, info)) * height;
  if (raw / 1032 > source->length)
    fail(png, source, CODEC_DAMAGED, "the file is too short for the size that it declares");

  // 16 bits keep their upper 8, as Pillow does; palettes, 1/2/4 bits and tRNS become 8-bit samples.
  png_set_expand(png);
  png_set_strip_16(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);

  out->width = width;
  out->height = height;
  out->channels = png_get_channels(png, info);
  size_t row = png_get_rowbytes(png, info);
  if (out->channels < 1 || out->channels > 4 || row != (size_t)width * out->channels)
    fail(png, source, CODEC_UNSUPPORTED, "it has an unusual sample layout");
  out->pixels = malloc(row * height);
  source->rows = malloc(sizeof(png_bytep) * height);
  if (!out->pixels || !source->rows) fail(png, source, CODEC_NO_MEMORY, "memory ran out");
  for (uint32_t y = 0; y < height; y++) source->rows[y] = out->pixels + row * y;
  png_read_image(png, source->rows);
  png_read_end(png, info);

#ifdef PNG_eXIf_SUPPORTED
  png_uint_32 exif_length = 0;
  png_bytep exif = NULL;
  if (png_get_eXIf_1(png, info, &exif_length, &exif) && exif)
    codec_keep_exif(out, exif, exif_length);
#endif
}

codec_status codec_decode_png(
    const uint8_t *bytes, size_t length, uint64_t max_pixels, codec_picture *out) {
  memset(out, 0, sizeof *out);
  reader source = {bytes, length, 0, out, CODEC_OK, NULL};
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, out->message, on_error, on_warning);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  if (!info) {
    png_destroy_read_struct(&png, NULL, NULL);
    codec_say(out->message, "memory ran out");
    return CODEC_NO_MEMORY;
  }
  reader *volatile kept = &source;
  if (setjmp(png_jmpbuf(png)) == 0) {
    decode(png, info, kept, max_pixels);
  } else {
    if (kept->status == CODEC_OK) kept->status = CODEC_DAMAGED;
    codec_release(out);
  }
  png_destroy_read_struct(&png, &info, NULL);
  free(kept->rows);
  return kept->status;
}

static void write_bytes(png_structp png, png_bytep from, size_t count) {
  if (!codec_bytes_append(png_get_io_ptr(png), from, count)) png_error(png, "memory ran out");
}

static void flush_bytes(png_structp png) { (void)png; }

codec_status codec_encode_png(
    const uint8_t *pixels, uint32_t width, uint32_t height, uint32_t channels, int compression,
    codec_bytes *out) {
  memset(out, 0, sizeof *out);
  png_structp png =
      png_create_write_struct(PNG_LIBPNG_VER_STRING, out->message, on_error, on_warning);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  if (!info) {
    png_destroy_write_struct(&png, NULL);
    codec_say(out->message, "memory ran out");
    return CODEC_NO_MEMORY;
  }
  codec_status volatile status = CODEC_OK;
  if (setjmp(png_jmpbuf(png)) == 0) {
    int colour = channels == 1   ? PNG_COLOR_TYPE_GRAY
                 : channels == 3 ? PNG_COLOR_TYPE_RGB
                                 : PNG_COLOR_TYPE_RGB_ALPHA;
    png_set_write_fn(png, out, write_bytes, flush_bytes);
    png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
    png_set_compression_level(png, compression);
    png_set_IHDR(png, info, width, height, 8, colour, PNG_INTERLACE_NONE,
        PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (uint32_t y = 0; y < height; y++)
      png_write_row(png, pixels + (size_t)y * width * channels);
    png_write_end(png, info);
  } else {
    status = CODEC_DAMAGED;
    codec_bytes_release(out);
  }
  png_destroy_write_struct(&png, &info);
  return status;
}
