/* cli/admin.c - amperstand admin: users and keys, straight into the database while no server runs
 * (the authority, admin_ca.c, is only read).
 * What a running server does goes through its page and API; two writers of one database would not
 * see each other's changes, so the lock of the data folder decides. */
#include "central/datadir.h"
#include "central/rest/people.h"
#include "central/store/store.h"
#include "cli/admin.h"
#include "cli/cli.h"

#include <sodium.h>
#include <stdlib.h>
#include <sys/time.h>
#include <termios.h>
#include <unistd.h>

#define NAME_MAX_LEN 64
#define KEY_BYTES    24

static const char about[] =
    "Users and API keys, written straight into the database of a central system that is not "
    "running. While it runs, use\n"
    "its page or API; this command says so.\n\n"
    "  user add LOGIN   a person who can log in; asks for the password, or reads it from stdin\n"
    "  user list        who can log in\n"
    "  key add NAME     an API key for a program; it is printed once and cannot be shown again\n"
    "  key list         which keys there are\n"
    "  ca show          the certificate that stations need as their root, and its fingerprint; also "
    "while a server runs";

static const char examples[] =
    "  amperstand admin user add anna --role ADMIN\n"
    "      asks for the password twice\n"
    "  pwgen 20 1 | tee anna.txt | amperstand admin user add anna --role OPERATOR "
    "--password-stdin\n"
    "      for scripts\n"
    "  KEY=$(amperstand admin key add billing --role USER --data /var/lib/amperstand)\n"
    "      the key alone is on stdout\n";

struct wish {
    const char *data, *database, *role, *name;
    bool from_stdin;
};

/* The database, opened by us alone. */
struct desk {
    uv_loop_t loop;
    struct store *store;
    struct store_keys keys;
    struct fact **facts; /* users and keys */
    size_t count;
    int lock;
    bool done;
    int rc;
};

/* ---- database ---- */

static void on_fact(void *ctx, const struct fact *f)
{
    struct desk *d = ctx;

    if (f->kind != FACT_USER && f->kind != FACT_API_KEY)
        return;
    d->facts = realloc(d->facts, (d->count + 1) * sizeof *d->facts);
    if (!d->facts)
        abort();
    d->facts[d->count++] = fact_copy(f);
}

static int desk_open(struct desk *d, const struct wish *w)
{
    char *why = NULL,
         *path = w->database ? strdup(w->database) : datadir_path(w->data, "amperstand.db");
    struct store_config config = { .database = path };
    int rc;

    *d = (struct desk){ .lock = -1 };
    if (uv_loop_init(&d->loop) < 0)
        abort();
    rc = d->lock = datadir_open(w->data, &why);
    if (rc >= 0) {
        d->store = store_open(&d->loop, &config, &why);
        rc = d->store ? store_load(d->store, on_fact, d) : AMP_E_IO;
    }
    if (rc < 0)
        fprintf(stderr, "amperstand admin: %s%s\n", why ? why : amp_err_text(rc),
                rc == AMP_E_BUSY ? "; or use the page or the API of the server that runs" : "");
    else
        store_next_keys(d->store, &d->keys);
    free(why);
    free(path);
    return rc < 0 ? CLI_STORAGE : CLI_OK;
}

static void desk_close(struct desk *d)
{
    store_close(d->store);
    for (size_t i = 0; i < d->count; i++)
        free(d->facts[i]);
    free(d->facts);
    datadir_close(d->lock);
    uv_run(&d->loop, UV_RUN_DEFAULT);
    uv_loop_close(&d->loop);
}

static void on_durable(void *ctx, int rc)
{
    struct desk *d = ctx;

    d->rc = rc;
    d->done = true;
}

/* Write one fact and wait until it is on disk. */
static int keep(struct desk *d, const struct fact *f)
{
    store_put(d->store, f);
    store_after(d->store, on_durable, d);
    while (!d->done)
        uv_run(&d->loop, UV_RUN_ONCE);
    if (d->rc == 0)
        return CLI_OK;
    fprintf(stderr, "amperstand admin: not written: %s\n", amp_err_text(d->rc));
    return CLI_STORAGE;
}

static int64_t now_ms(void)
{
    struct timeval t;

    gettimeofday(&t, NULL);
    return (int64_t)t.tv_sec * 1000 + t.tv_usec / 1000;
}

/* ---- what was asked for ---- */

static int role_of(const char *word)
{
    for (int role = ROLE_USER; role <= ROLE_ADMIN; role++) {
        if (amp_text_eqi(amp_text_of(word), amp_text_of(role_name(role))))
            return role;
    }
    return 0;
}

/* Logins and names of keys: something to read and to type. */
static const char *bad_name(const char *name)
{
    struct amp_text t = amp_text_of(name);

    if (t.len == 0 || t.len > NAME_MAX_LEN)
        return "give 1 to 64 bytes";
    if (!amp_text_utf8(t))
        return "is no UTF-8";
    for (uint32_t i = 0; i < t.len; i++) {
        if ((unsigned char)name[i] <= ' ' || name[i] == 127)
            return "no blanks, please";
    }
    return NULL;
}

static const char *bad_password(struct amp_text p)
{
    if (p.len < PEOPLE_PASSWORD_MIN)
        return "the password is too short: 10 bytes at least";
    if (p.len > PEOPLE_PASSWORD_MAX)
        return "the password is too long: 1024 bytes at most";
    return amp_text_utf8(p) ? NULL : "the password is no UTF-8";
}

/* One line without its end. False: there was none. */
static bool read_line(FILE *from, char *out, size_t cap)
{
    if (!fgets(out, (int)cap, from))
        return false;
    out[strcspn(out, "\r\n")] = 0;
    return true;
}

static bool ask(const char *prompt, char *out, size_t cap)
{
    struct termios shown, hidden;
    bool got;

    if (tcgetattr(STDIN_FILENO, &shown) < 0)
        return false;
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    fputs(prompt, stderr);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    got = read_line(stdin, out, cap);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    fputc('\n', stderr);
    return got;
}

/* 0, or an exit code after a message. */
static int get_password(const struct cli_usage *usage, const struct wish *w, char *out, size_t cap)
{
    char again[PEOPLE_PASSWORD_MAX + 8] = "";
    const char *bad;
    bool same = true;

    if (w->from_stdin) {
        if (!read_line(stdin, out, cap))
            return cli_usage_error(usage, "password-stdin", "nothing came on stdin");
    } else {
        if (!isatty(STDIN_FILENO))
            return cli_usage_error(usage, "password-stdin",
                                   "is missing: there is no terminal to ask for the password");
        if (!ask("Password: ", out, cap) || !ask("Once more: ", again, sizeof again))
            return cli_usage_error(usage, "password-stdin", "nothing was typed");
        same = !strcmp(out, again);
        sodium_memzero(again, sizeof again);
    }
    bad = same ? bad_password(amp_text_of(out)) : "the two passwords differ";
    if (!bad)
        return CLI_OK;
    fprintf(stderr, "amperstand admin: %s\n", bad);
    return CLI_USAGE;
}

static int user_add(const struct cli_usage *usage, const struct wish *w, const char *login)
{
    char password[PEOPLE_PASSWORD_MAX + 8], hash[PEOPLE_HASH_MAX];
    int role = role_of(w->role), rc = get_password(usage, w, password, sizeof password);
    struct fact f = { .kind = FACT_USER };
    struct desk d;

    if (rc != CLI_OK)
        return rc;
    rc = people_hash(amp_text_of(password), hash);
    sodium_memzero(password, sizeof password);
    if (rc < 0) {
        fprintf(stderr, "amperstand admin: no memory to hash the password\n");
        return CLI_FAILED;
    }
    rc = desk_open(&d, w);
    for (size_t i = 0; rc == CLI_OK && i < d.count; i++) {
        if (d.facts[i]->kind == FACT_USER &&
            amp_text_eqi(d.facts[i]->u.user.login, amp_text_of(login))) {
            fprintf(stderr, "amperstand admin: there is a user '%s' already\n", login);
            rc = CLI_FAILED;
        }
    }
    if (rc == CLI_OK) {
        f.u.user = (struct user_fact){ .key = d.keys.user,
                                       .org = ORG_DEFAULT,
                                       .login = amp_text_of(login),
                                       .name = amp_text_of(w->name ? w->name : login),
                                       .password = amp_text_of(hash),
                                       .role = role,
                                       .created_ms = now_ms() };
        rc = keep(&d, &f);
    }
    desk_close(&d);
    if (rc == CLI_OK)
        fprintf(stderr, "user '%s' can log in as %s\n", login, role_name(role));
    return rc;
}

static int key_add(const struct cli_usage *usage, const struct wish *w, const char *name)
{
    uint8_t random[KEY_BYTES];
    char key[8 + 2 * KEY_BYTES + 1] = "amp_", digest[65];
    struct fact f = { .kind = FACT_API_KEY };
    struct desk d;
    int rc;

    (void)usage;
    if (sodium_init() < 0)
        abort();
    randombytes_buf(random, sizeof random);
    sodium_bin2hex(key + 4, sizeof key - 4, random, sizeof random);
    people_digest(amp_text_of(key), digest);
    rc = desk_open(&d, w);
    if (rc == CLI_OK) {
        f.u.api_key = (struct api_key_fact){ .key = d.keys.api_key,
                                             .org = ORG_DEFAULT,
                                             .hash = amp_text_of(digest),
                                             .name = amp_text_of(name),
                                             .role = role_of(w->role),
                                             .created_ms = now_ms() };
        rc = keep(&d, &f);
    }
    desk_close(&d);
    if (rc == CLI_OK)
        printf("%s\n", key);
    return rc;
}

static int list(const struct wish *w, enum fact_kind kind)
{
    struct desk d;
    int rc = desk_open(&d, w);

    for (size_t i = 0; i < d.count; i++) {
        const struct user_fact *u = &d.facts[i]->u.user;
        const struct api_key_fact *k = &d.facts[i]->u.api_key;

        if (d.facts[i]->kind != kind)
            continue;
        if (kind == FACT_USER)
            printf("%.*s\t%s\t%s\t%.*s\n", AMP_FMT(u->login), role_name(u->role),
                   u->blocked ? "blocked" : "active", AMP_FMT(u->name));
        else
            printf("%.*s\t%s\t%s\n", AMP_FMT(k->name), role_name(k->role),
                   k->revoked_ms ? "revoked" : "active");
    }
    desk_close(&d);
    return rc;
}

static int user_list(const struct cli_usage *usage, const struct wish *w, const char *name)
{
    (void)usage, (void)name;
    return list(w, FACT_USER);
}

static int key_list(const struct cli_usage *usage, const struct wish *w, const char *name)
{
    (void)usage, (void)name;
    return list(w, FACT_API_KEY);
}

static int ca_show(const struct cli_usage *usage, const struct wish *w, const char *name)
{
    (void)usage, (void)name;
    return admin_ca_show(w->data);
}

static const struct verb {
    const char *noun, *verb;
    const char *operand; /* NULL: none */
    int (*run)(const struct cli_usage *usage, const struct wish *w, const char *name);
    /* clang-format off */
} verbs[] = {
    { "user", "add",  "LOGIN", user_add },
    { "user", "list", NULL,    user_list },
    { "key",  "add",  "NAME",  key_add },
    { "key",  "list", NULL,    key_list },
    { "ca",   "show", NULL,    ca_show },
};
/* clang-format on */

static int complain(const char *what)
{
    fprintf(stderr, "amperstand admin: %s\nSee 'amperstand admin --help'.\n", what);
    return CLI_USAGE;
}

static int dispatch(const struct cli_usage *usage, const struct wish *w, int operands,
                    char **operand)
{
    const struct verb *v = NULL;
    const char *bad;
    char text[160];

    for (size_t i = 0; operands >= 2 && i < AMP_COUNT(verbs); i++) {
        if (!strcmp(verbs[i].noun, operand[0]) && !strcmp(verbs[i].verb, operand[1]))
            v = &verbs[i];
    }
    if (!v)
        return complain("say what to do: user add LOGIN, user list, key add NAME, key list, "
                        "ca show");
    if (operands != (v->operand ? 3 : 2)) {
        snprintf(text, sizeof text, "write: amperstand admin %s %s%s%s", v->noun, v->verb,
                 v->operand ? " " : "", v->operand ? v->operand : "");
        return complain(text);
    }
    if (!v->operand)
        return v->run(usage, w, NULL);
    bad = bad_name(operand[2]);
    if (bad) {
        snprintf(text, sizeof text, "%s: %s", v->operand, bad);
        return complain(text);
    }
    if (!w->role || !role_of(w->role))
        return cli_usage_error(usage, "role", "%s; give ADMIN, OPERATOR or USER",
                               w->role ? "is none of the roles" : "is missing");
    return v->run(usage, w, operand[2]);
}

static int admin(int argc, char **argv)
{
    struct wish w = { .data = "./amperstand-data" };
    const struct cli_option options[] = {
        { .name = "data",
          .kind = CLI_TEXT,
          .value = "DIR",
          .out = &w.data,
          .env = "AMPERSTAND_DATA",
          .help = "folder of the central system (./amperstand-data)" },
        { .name = "database",
          .kind = CLI_TEXT,
          .value = "URL",
          .out = &w.database,
          .env = "AMPERSTAND_DATABASE",
          .help = "file or postgres://... if it is not DIR/amperstand.db" },
        { .name = "role",
          .kind = CLI_TEXT,
          .value = "ROLE",
          .out = &w.role,
          .help = "ADMIN, OPERATOR or USER, for user add and key add" },
        { .name = "name",
          .kind = CLI_TEXT,
          .value = "TEXT",
          .out = &w.name,
          .help = "a person's name, for user add (the login)" },
        { .name = "password-stdin",
          .kind = CLI_FLAG,
          .out = &w.from_stdin,
          .help = "read the password from stdin, one line" },
        { .name = NULL },
    };
    const struct cli_usage usage = { .command = "amperstand admin",
                                     .operands = "user|key|ca add|list|show [LOGIN|NAME]",
                                     .about = about,
                                     .examples = examples,
                                     .options = options };
    int operands = 0, rc = cli_parse(&usage, argc, argv, &operands);

    return rc >= 0 ? rc : dispatch(&usage, &w, operands, argv + 1);
}

const struct cli_command cli_admin = { "admin",
                                       "users, keys and certificate authority of a central system",
                                       admin };
