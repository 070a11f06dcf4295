/* central/rest/tags.h - how a tag is changed, whichever way the change came: one by one, many at
 * once, from a spreadsheet. Inside central/rest only. */
#ifndef CENTRAL_REST_TAGS_H
#define CENTRAL_REST_TAGS_H

#include "central/rest/call.h"

#define TAG_MAX 64 /* characters; ci20 of OCPP 1.6 binds only what is sent to a station (E32) */

/* What is absent stays as it was; an empty parent or note is taken away. */
struct tag_change {
    struct amp_text tag, status, parent, note;
    int64_t expiry_ms; /* 0: as it was; -1: never */
};

enum tag_result { TAG_CREATED, TAG_CHANGED, TAG_SAME };

/* What is wrong with it, and which field; NULL: nothing. */
const char *tag_fault(const struct tag_change *t, const char **field);
/* Make it so, with its audit. Call rest_after afterwards. */
enum tag_result tag_make(struct rest_call *call, const struct tag_change *t);

/* Does the list show this one? Texts compare without case. */
struct tag_filter {
    int64_t org;
    struct amp_text search; /* a part of tag or note */
    struct amp_text status, parent;
    char texts[3][REST_PARAM_MAX];
};
/* From ?search= &status= &parent=; false: a problem was answered. */
bool tag_filter_of(struct rest_call *call, struct tag_filter *f);
bool tag_shown(const struct tag_filter *f, const struct tag_fact *t);

#endif
