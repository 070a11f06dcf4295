/* central/log.h - what happened, for operators: one line a happening on stderr, `time level module
 * message key=value…` or the same as JSON. Values are escaped, so that nobody outside can forge a
 * line. Thread safe; every function takes NULL for the log and does nothing then, so that tests
 * need none.
 *
 *     LOG(c->log, LOG_INFO, "v16", "station connected", LOG_TEXT("charger", id), LOG_STR("peer",
 * net_peer(conn)));
 *
 * What a stranger can cause at will goes through LOG_OFTEN: counted always, written rarely. */
#ifndef CENTRAL_LOG_H
#define CENTRAL_LOG_H

#include "ocpp/text.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_LEVELS };

struct log_field {
    const char *key;
    struct amp_text text; /* with is_text; absent is written as null or - */
    int64_t number;
    bool is_text;
};

#define LOG_TEXT(key, t) ((struct log_field){ (key), (t), 0, true })
#define LOG_STR(key, s)  ((struct log_field){ (key), amp_text_of(s), 0, true })
#define LOG_INT(key, n)  ((struct log_field){ (key), AMP_NO_TEXT, (int64_t)(n), false })

struct log;

/* Lines go to the descriptor `fd`, which stays the caller's. Never NULL. */
struct log *log_new(int fd, enum log_level level, bool json);
void log_free(struct log *l); /* writes the totals that LOG_OFTEN still holds back */

/* "error", "warn", "info", "debug". False: no such word. */
bool log_level_of(const char *word, enum log_level *out);
bool log_wants(const struct log *l, enum log_level level);

void log_put(struct log *l, enum log_level level, const char *module, const char *message,
             const struct log_field *fields, size_t count);

/* At most LOG_OFTEN_MAX lines of one message within LOG_OFTEN_MS; those held back are counted, and
 * the count is written when the time is over (log_tick) as `held=N`. Every line carries `total`,
 * how often it happened since the start. Module and message must be constant texts, and few: they
 * are what is counted by. */
#define LOG_OFTEN_MAX 5
#define LOG_OFTEN_MS  10000
void log_often(struct log *l, enum log_level level, const char *module, const char *message,
               const struct log_field *fields, size_t count);

/* Once a second: writes what log_often held back. */
void log_tick(struct log *l);

/* How often log_often was called for this message since the start. */
uint64_t log_total(struct log *l, const char *module, const char *message);

/* For tests: a clock that can be turned, Unix ms. NULL: the system's. */
void log_set_clock(struct log *l, int64_t (*now_ms)(void));

/* A message without fields: log_say(l, LOG_INFO, "serve", "stopped"). */
void log_say(struct log *l, enum log_level level, const char *module, const char *message);

#define LOG_LIST(...) ((const struct log_field[]){ __VA_ARGS__ })
#define LOG_PASS(f, l, level, module, message, ...)             \
    f((l), (level), (module), (message), LOG_LIST(__VA_ARGS__), \
      sizeof LOG_LIST(__VA_ARGS__) / sizeof(struct log_field))
#define LOG(l, level, module, message, ...) \
    LOG_PASS(log_put, l, level, module, message, __VA_ARGS__)
#define LOG_OFTEN(l, level, module, message, ...) \
    LOG_PASS(log_often, l, level, module, message, __VA_ARGS__)

#endif
