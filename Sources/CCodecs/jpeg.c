#include "internal.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

// More scans than any encoder writes; a file with thousands of them only burns time.
enum { MAX_SCANS = 200 };

// The library knows only `base`; the handlers find the rest behind it.
typedef struct failure {
  struct jpeg_error_mgr base;
  jmp_buf jump;
  char *message;
  codec_status status;
} failure;

static void fail(j_common_ptr cinfo, codec_status status, const char *text) {
  failure *failed = (failure *)cinfo->err;
  failed->status = status;
  codec_say(failed->message, "%s", text);
  longjmp(failed->jump, 1);
}

static void on_error(j_common_ptr cinfo) {
  char text[JMSG_LENGTH_MAX];
  cinfo->err->format_message(cinfo, text);
  fail(cinfo, cinfo->err->msg_code == JERR_OUT_OF_MEMORY ? CODEC_NO_MEMORY : CODEC_DAMAGED, text);
}

// The library would go on with grey blocks after damaged picture data; that is an error here.
// Its other warnings (stray bytes between segments, odd version numbers) are harmless.
static void on_message(j_common_ptr cinfo, int level) {
  if (level >= 0) return;
  switch (cinfo->err->msg_code) {
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
    case JWRN_JPEG_EOF:
      on_error(cinfo);
    default:
      break;
  }
}

static void no_output(j_common_ptr cinfo) { (void)cinfo; }

static struct jpeg_error_mgr *prepare(failure *failed, char *message) {
  struct jpeg_error_mgr *base = jpeg_std_error(&failed->base);
  base->error_exit = on_error;
  base->emit_message = on_message;
  base->output_message = no_output;
  failed->message = message;
  failed->status = CODEC_OK;
  return base;
}

static void source_start(j_decompress_ptr cinfo) { (void)cinfo; }

static boolean source_refill(j_decompress_ptr cinfo) {
  fail((j_common_ptr)cinfo, CODEC_DAMAGED, "the file ends early");
  return FALSE;
}

static void source_skip(j_decompress_ptr cinfo, long count) {
  if (count <= 0) return;
  if ((size_t)count > cinfo->src->bytes_in_buffer) source_refill(cinfo);
  cinfo->src->next_input_byte += count;
  cinfo->src->bytes_in_buffer -= (size_t)count;
}

static void watch_scans(j_common_ptr cinfo) {
  if (((j_decompress_ptr)cinfo)->input_scan_number > MAX_SCANS)
    fail(cinfo, CODEC_DAMAGED, "it has far too many scans");
}

static uint8_t times(unsigned a, unsigned b) {  // a * b / 255, rounded, as Pillow does
  unsigned product = a * b + 128;
  return (uint8_t)(((product >> 8) + product) >> 8);
}

// Adobe's convention, which every CMYK file in practice follows: samples are stored inverted.
static void cmyk_row(uint8_t *rgb, const uint8_t *cmyk, uint32_t width) {
  for (uint32_t x = 0; x < width; x++, rgb += 3, cmyk += 4) {
    unsigned light = cmyk[3];
    for (int c = 0; c < 3; c++) rgb[c] = (uint8_t)(light - times(255u - cmyk[c], light));
  }
}

static void decode(struct jpeg_decompress_struct *cinfo, uint64_t max_pixels, codec_picture *out) {
  j_common_ptr common = (j_common_ptr)cinfo;
  jpeg_save_markers(cinfo, JPEG_APP0 + 1, 0xffff);
  jpeg_read_header(cinfo, TRUE);
  if ((uint64_t)cinfo->image_width * cinfo->image_height > max_pixels) {
    codec_status status = codec_too_large(out, cinfo->image_width, cinfo->image_height);
    fail(common, status, "the picture is larger than the limit");
  }
  for (jpeg_saved_marker_ptr marker = cinfo->marker_list; marker; marker = marker->next)
    if (marker->data_length > 6 && memcmp(marker->data, "Exif\0\0", 6) == 0)
      codec_keep_exif(out, marker->data, marker->data_length);

  switch (cinfo->num_components) {
    case 1: cinfo->out_color_space = JCS_GRAYSCALE; break;
    case 3: cinfo->out_color_space = JCS_RGB; break;
    case 4: cinfo->out_color_space = JCS_CMYK; break;
    default: fail(common, CODEC_UNSUPPORTED, "it is neither grey, colour nor CMYK");
  }
  out->width = cinfo->image_width;
  out->height = cinfo->image_height;
  out->channels = cinfo->num_components == 1 ? 1 : 3;
  size_t row = (size_t)out->width * out->channels;
  out->pixels = malloc(row * out->height);
  if (!out->pixels) fail(common, CODEC_NO_MEMORY, "memory ran out");

  jpeg_start_decompress(cinfo);
  JSAMPARRAY line = (*cinfo->mem->alloc_sarray)(
      common, JPOOL_IMAGE, cinfo->output_width * (JDIMENSION)cinfo->output_components, 1);
  while (cinfo->output_scanline < cinfo->output_height) {
    uint8_t *into = out->pixels + row * cinfo->output_scanline;
    jpeg_read_scanlines(cinfo, line, 1);
    if (cinfo->num_components == 4)
      cmyk_row(into, line[0], out->width);
    else
      memcpy(into, line[0], row);
  }
  jpeg_finish_decompress(cinfo);
}

codec_status codec_decode_jpeg(
    const uint8_t *bytes, size_t length, uint64_t max_pixels, codec_picture *out) {
  memset(out, 0, sizeof *out);
  struct jpeg_decompress_struct cinfo;
  memset(&cinfo, 0, sizeof cinfo);
  failure failed;
  cinfo.err = prepare(&failed, out->message);
  struct jpeg_source_mgr source = {
      .next_input_byte = bytes,
      .bytes_in_buffer = length,
      .init_source = source_start,
      .fill_input_buffer = source_refill,
      .skip_input_data = source_skip,
      .resync_to_restart = jpeg_resync_to_restart,
      .term_source = source_start,
  };
  struct jpeg_progress_mgr progress = {.progress_monitor = watch_scans};
  if (setjmp(failed.jump) == 0) {
    jpeg_create_decompress(&cinfo);
    cinfo.src = &source;
    cinfo.progress = &progress;
    decode(&cinfo, max_pixels, out);
  } else {
    codec_release(out);
  }
  jpeg_destroy_decompress(&cinfo);
  return failed.status;
}

typedef struct sink {
  struct jpeg_destination_mgr base;
  codec_bytes *out;
  uint8_t buffer[16384];
} sink;

static void sink_start(j_compress_ptr cinfo) {
  sink *target = (sink *)cinfo->dest;
  target->base.next_output_byte = target->buffer;
  target->base.free_in_buffer = sizeof target->buffer;
}

static void sink_append(j_compress_ptr cinfo, size_t count) {
  sink *target = (sink *)cinfo->dest;
  if (!codec_bytes_append(target->out, target->buffer, count))
    fail((j_common_ptr)cinfo, CODEC_NO_MEMORY, "memory ran out");
}

static boolean sink_flush(j_compress_ptr cinfo) {
  sink_append(cinfo, sizeof ((sink *)cinfo->dest)->buffer);
  sink_start(cinfo);
  return TRUE;
}

static void sink_end(j_compress_ptr cinfo) {
  sink *target = (sink *)cinfo->dest;
  sink_append(cinfo, sizeof target->buffer - target->base.free_in_buffer);
}

codec_status codec_encode_jpeg(
    const uint8_t *pixels, uint32_t width, uint32_t height, uint32_t channels, int quality,
    codec_bytes *out) {
  memset(out, 0, sizeof *out);
  struct jpeg_compress_struct cinfo;
  memset(&cinfo, 0, sizeof cinfo);
  failure failed;
  cinfo.err = prepare(&failed, out->message);
  sink target = {
      .base = {.init_destination = sink_start,
          .empty_output_buffer = sink_flush,
          .term_destination = sink_end},
      .out = out,
  };
  if (setjmp(failed.jump) == 0) {
    jpeg_create_compress(&cinfo);
    cinfo.dest = &target.base;
    cinfo.image_width = width;
    cinfo.image_height = height;
    cinfo.input_components = (int)channels;
    cinfo.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&cinfo);
    jpeg_set_quality(&cinfo, quality, TRUE);
    cinfo.optimize_coding = TRUE;
    jpeg_start_compress(&cinfo, TRUE);
    while (cinfo.next_scanline < cinfo.image_height) {
      JSAMPROW row = (JSAMPROW)(pixels + (size_t)cinfo.next_scanline * width * channels);
      jpeg_write_scanlines(&cinfo, &row, 1);
    }
    jpeg_finish_compress(&cinfo);
  } else {
    codec_bytes_release(out);
  }
  jpeg_destroy_compress(&cinfo);
  return failed.status;
}
