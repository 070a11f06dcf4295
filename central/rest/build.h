/* central/rest/build.h - payloads that are made here: operations with files, where the API takes
 * less than OCPP does and this server adds the address, the number and the time. Inside
 * central/rest only.
 */
#ifndef CENTRAL_REST_BUILD_H
#define CENTRAL_REST_BUILD_H

#include "central/rest/commands.h"
#include "central/rest/files.h"

#define BUILD_UPLOAD_MS 86400000 /* how long a station may take to bring what it was asked for */

struct build {
    struct central *c;
    struct charger *charger;
    const char *base; /* how it reaches us: rest_base_url */
    int64_t now_ms;
    struct amp_buf payload; /* the caller's memory */
    struct command_fact *f; /* action and by are given; payload, request, due_ms, expected come */
    struct fact *upload;    /* a file that it will bring: build_asked keeps it; free() it. NULL */
    char token[FILES_TOKEN_MAX];
    struct rest_problem problem; /* when it failed */
    char detail[REST_DETAIL_MAX];
};

/* Is this an action whose payload is made here? The message of its body, or -1. */
int build_message(struct amp_text action);
struct amp_text build_action(int message); /* the other way */
/* From the decoded body. False: `problem` and `detail` say why. */
bool build_payload(struct build *b, const void *body);
/* The command was queued under this key: the file that it will bring is expected now. */
void build_asked(struct central *c, struct fact *upload, int64_t command);

#endif
