/* ports/linux/tags.c - see tags.h. */
#include "ports/linux/tags.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Open for writing too: a FIFO then never ends when its writer goes. */
int wallbox_tags_open(struct wallbox_tags *t, const char *path, bool keys)
{
    int mode = O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

    *t = (struct wallbox_tags){ .fd = open(path, (keys ? O_RDONLY : O_RDWR) | mode), .keys = keys };
    if (t->fd < 0)
        return AMP_E_IO;
    if (keys && ioctl(t->fd, EVIOCGRAB, 1) < 0) {
        wallbox_tags_close(t);
        return AMP_E_IO;
    }
    return 0;
}

void wallbox_tags_close(struct wallbox_tags *t)
{
    if (t->fd >= 0)
        close(t->fd);
    t->fd = -1;
}

/* The character of a key that goes down: digits, letters, Enter. 0: none of them. */
static char key_char(const struct input_event *e)
{
    static const char digits[] = "1234567890";
    static const struct {
        unsigned short first;
        const char *row;
    } rows[] = {
        { KEY_Q, "QWERTYUIOP" },
        { KEY_A, "ASDFGHJKL" },
        { KEY_Z, "ZXCVBNM" },
    };

    if (e->type != EV_KEY || e->value != 1)
        return 0;
    if (e->code == KEY_ENTER || e->code == KEY_KPENTER)
        return '\n';
    if (e->code >= KEY_1 && e->code <= KEY_0)
        return digits[e->code - KEY_1];
    for (size_t i = 0; i < AMP_COUNT(rows); i++)
        if (e->code >= rows[i].first && e->code < rows[i].first + strlen(rows[i].row))
            return rows[i].row[e->code - rows[i].first];
    return 0;
}

/* One character. False: nothing is there now. */
static bool take(struct wallbox_tags *t, char *out)
{
    struct input_event e;

    if (!t->keys)
        return read(t->fd, out, 1) == 1;
    for (;;) {
        if (read(t->fd, &e, sizeof e) != (ssize_t)sizeof e)
            return false;
        *out = key_char(&e);
        if (*out)
            return true;
    }
}

bool wallbox_tags_next(struct wallbox_tags *t, char out[WALLBOX_TAG_CAP])
{
    char c;

    while (t->fd >= 0 && take(t, &c)) {
        bool whole = c == '\n' || c == '\r';

        if (whole && t->len && !t->too_long) {
            memcpy(out, t->line, t->len);
            out[t->len] = 0;
            t->len = 0;
            return true;
        }
        if (whole) {
            t->len = 0;
            t->too_long = false;
        } else if (c > ' ' && c < 0x7f && t->len < WALLBOX_TAG_CAP - 1) {
            t->line[t->len++] = c;
        } else if (c != ' ' && c != '\t') {
            t->too_long = true;
        }
    }
    return false;
}
