/* central/rest/files.c - see files.h. */
#include "central/rest/files.h"
#include "central/domain/map.h"
#include "central/log.h"

#include <dirent.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct files {
    struct central *c;
    char *folder;
    struct fact **list; /* by key; those that are not deleted */
    size_t count, cap;
    struct map by_token;
    int64_t next;
};

static char *path_of(const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = malloc(size);

    if (!path)
        abort();
    snprintf(path, size, "%s/%s", folder, name);
    return path;
}

static bool same_token(const void *item, const void *token)
{
    return amp_text_eq(((const struct fact *)item)->u.file.token, *(const struct amp_text *)token);
}

struct files *files_new(struct central *c)
{
    struct files *f = calloc(1, sizeof *f);

    if (!f || sodium_init() < 0)
        abort();
    f->c = c;
    f->folder = path_of(c->settings.data, "files");
    f->next = 1;
    return f;
}

void files_free(struct files *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->count; i++)
        free(f->list[i]);
    free(f->list);
    map_clear(&f->by_token);
    free(f->folder);
    free(f);
}

/* Where the key is, or would be. */
static size_t place(const struct files *f, int64_t key)
{
    size_t low = 0, high = f->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (f->list[middle]->u.file.key < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void drop(struct files *f, size_t at)
{
    struct fact *old = f->list[at];

    map_remove(&f->by_token, amp_text_hash(old->u.file.token), old);
    free(old);
    f->count--;
    memmove(&f->list[at], &f->list[at + 1], (f->count - at) * sizeof(void *));
}

static void insert(struct files *f, size_t at, struct fact *copy)
{
    if (f->count == f->cap) {
        f->cap = f->cap ? 2 * f->cap : 16;
        f->list = realloc(f->list, f->cap * sizeof(void *));
        if (!f->list)
            abort();
    }
    memmove(&f->list[at + 1], &f->list[at], (f->count - at) * sizeof(void *));
    f->list[at] = copy;
    f->count++;
    map_put(&f->by_token, amp_text_hash(copy->u.file.token), copy);
}

void files_apply(struct files *f, const struct file_fact *file)
{
    struct fact new = { .kind = FACT_FILE, .u.file = *file };
    struct fact *copy = fact_copy(&new); /* its texts may be those of the old one */
    size_t at = place(f, file->key);

    if (at < f->count && f->list[at]->u.file.key == file->key)
        drop(f, at);
    if (copy->u.file.state == FILE_DELETED)
        free(copy);
    else
        insert(f, at, copy);
}

void files_set_key(struct files *f, int64_t next)
{
    f->next = next;
}

const struct file_fact *files_get(const struct files *f, int64_t key)
{
    size_t at = place(f, key);

    return at < f->count && f->list[at]->u.file.key == key ? &f->list[at]->u.file : NULL;
}

const struct file_fact *files_by_token(const struct files *f, struct amp_text token)
{
    const struct fact *found =
        token.len ? map_get(&f->by_token, amp_text_hash(token), same_token, &token) : NULL;

    return found ? &found->u.file : NULL;
}

const struct file_fact *files_at(const struct files *f, size_t i)
{
    return i < f->count ? &f->list[i]->u.file : NULL;
}

void files_reserve(struct files *f, struct file_fact *file, char token[FILES_TOKEN_MAX])
{
    unsigned char random[16];

    randombytes_buf(random, sizeof random);
    sodium_bin2base64(token, FILES_TOKEN_MAX, random, sizeof random,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    file->key = f->next++;
    file->token = amp_text_of(token);
}

void files_put(struct files *f, const struct file_fact *file)
{
    struct fact new = { .kind = FACT_FILE, .u.file = *file };
    struct fact *copy = fact_copy(&new);
    char *path;

    files_apply(f, &copy->u.file);
    central_emit(f->c, copy);
    if (copy->u.file.state == FILE_DELETED) {
        path = files_path(f, copy->u.file.key, false);
        if (unlink(path) < 0 && errno != ENOENT)
            LOG(f->c->log, LOG_WARN, "files", "cannot delete", LOG_STR("file", path),
                LOG_STR("why", strerror(errno)));
        free(path);
    }
    free(copy);
}

char *files_path(const struct files *f, int64_t key, bool coming)
{
    char name[40];

    snprintf(name, sizeof name, "%06lld%s", (long long)key, coming ? ".part" : "");
    return path_of(f->folder, name);
}

/* What was coming when the last process ended, or whose fact was never written. */
static void sweep(struct files *f)
{
    DIR *dir = opendir(f->folder);

    for (struct dirent *e; dir && (e = readdir(dir));) {
        char *end, *path;
        int64_t key = strtoll(e->d_name, &end, 10);

        if (e->d_name[0] == '.' || (*end && strcmp(end, ".part") != 0))
            continue; /* not ours */
        if (!*end && files_get(f, key) && files_get(f, key)->state == FILE_READY)
            continue;
        path = path_of(f->folder, e->d_name);
        unlink(path);
        free(path);
    }
    if (dir)
        closedir(dir);
}

int files_open(struct files *f, char **why)
{
    char text[512];

    if (mkdir(f->folder, 0700) < 0 && errno != EEXIST) {
        snprintf(text, sizeof text, "cannot make the folder '%s' for files: %s", f->folder,
                 strerror(errno));
        *why = strdup(text);
        return AMP_E_IO;
    }
    sweep(f);
    return 0;
}
