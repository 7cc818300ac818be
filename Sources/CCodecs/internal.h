// Shared by the codecs of this target only.
#ifndef CCODECS_INTERNAL_H
#define CCODECS_INTERNAL_H

#include "CCodecs.h"

#include <stdio.h>

#define codec_say(message, ...) snprintf((message), CODEC_MESSAGE_SIZE, __VA_ARGS__)

// Appends to a growing buffer; 0 when memory runs out.
int codec_bytes_append(codec_bytes *out, const uint8_t *bytes, size_t length);
// Keeps the first EXIF block of a file.
void codec_keep_exif(codec_picture *out, const uint8_t *bytes, size_t length);
codec_status codec_too_large(codec_picture *out, uint32_t width, uint32_t height);

#endif
