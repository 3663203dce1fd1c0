/* Shared by chunk.c (streams) and assemble.c (whole replies): the head of a reply and its parts. */
#ifndef OPENAI_CHUNK_PRIV_H
#define OPENAI_CHUNK_PRIV_H

#include "codec/jwrite.h"
#include "openai/chunk.h"

/* chunk_read of a text that is validated already. */
void chunk_facts_of(struct chunk_facts *out, struct jval root);
/* Remember id, model, creation time and fingerprint when they are seen first, usage always. */
void chunk_head_note(struct chunk_stream *s, struct jval root, const struct chunk_facts *facts);
/* Write id, object, created, model and system_fingerprint into an open object. */
void chunk_head_put(struct jw *w, const struct chunk_stream *s, const char *object);
/* Key and normalised value. */
void chunk_put_normal(struct jw *w, const char *name, struct jval v);
/* One element of choices, without vendor fields. */
void chunk_put_choice(struct jw *w, struct jval choice);
void chunk_put_usage(struct jw *w, const struct openai_usage *usage);
/* The HTTP status that an error inside a stream stands for: its `code` if that is one, else 500. */
unsigned chunk_error_status(struct jval error);
/* Whether all of choices are objects with an index below OPENAI_CHOICES_MAX. */
bool chunk_choices_are_sane(struct jval choices);

#endif
