/* ports/posix/resolve.c - one thread that asks getaddrinfo, a queue to it and a queue back. */
#include "ports/posix/resolve.h"

#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct posix_lookup {
    struct posix_lookup *next;
    posix_resolved_fn *done; /* NULL: cancelled; only the loop's thread reads or writes this */
    void *ctx;
    char host[POSIX_HOST_MAX + 1], service[8];
    struct posix_address list[POSIX_ADDRESSES_MAX];
    int count;
    const char *why;
};

/* A look-up may take half a minute and cannot be broken off: at the end the loop does not wait for
 * the thread, and the last of the two frees what they share. */
struct posix_resolver {
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    struct posix_lookup *asked, **asked_end, *answered, **answered_end;
    bool quit;
    int users;
    int wake_fd; /* eventfd; closed by the last user */
    struct posix_watch watch;
};

static int collect(const struct addrinfo *found, struct posix_address *list)
{
    int count = 0;

    for (const struct addrinfo *a = found; a && count < POSIX_ADDRESSES_MAX; a = a->ai_next) {
        if (a->ai_addrlen > sizeof list[0].at)
            continue;
        memcpy(&list[count].at, a->ai_addr, a->ai_addrlen);
        list[count++].len = a->ai_addrlen;
    }
    return count;
}

static int ask(const char *host, const char *service, int flags, struct posix_address *list,
               const char **why)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV },
                    *found = NULL;
    int rc = getaddrinfo(host, service, &hints, &found), count = 0;

    if (rc == 0) {
        count = collect(found, list);
        freeaddrinfo(found);
    }
    *why = rc ? gai_strerror(rc) : "";
    return count;
}

static void let_go(struct posix_resolver *r)
{
    bool last;

    pthread_mutex_lock(&r->mutex);
    last = --r->users == 0;
    pthread_mutex_unlock(&r->mutex);
    if (!last)
        return;
    close(r->wake_fd);
    pthread_cond_destroy(&r->wake);
    pthread_mutex_destroy(&r->mutex);
    free(r);
}

static void *work(void *arg)
{
    struct posix_resolver *r = arg;
    static const uint64_t one = 1;

    pthread_mutex_lock(&r->mutex);
    while (!r->quit) {
        struct posix_lookup *q = r->asked;

        if (!q) {
            pthread_cond_wait(&r->wake, &r->mutex);
            continue;
        }
        r->asked = q->next;
        if (!r->asked)
            r->asked_end = &r->asked;
        pthread_mutex_unlock(&r->mutex);
        q->count = ask(q->host, q->service, 0, q->list, &q->why);
        pthread_mutex_lock(&r->mutex);
        if (r->quit) {
            free(q);
            break;
        }
        q->next = NULL;
        *r->answered_end = q;
        r->answered_end = &q->next;
        if (write(r->wake_fd, &one, sizeof one) < 0)
            continue; /* the counter is full: the loop is awake anyway */
    }
    pthread_mutex_unlock(&r->mutex);
    let_go(r);
    return NULL;
}

static void on_answered(void *ctx, uint32_t events)
{
    struct posix_resolver *r = ctx;
    struct posix_lookup *q;
    uint64_t count;

    (void)events;
    if (read(r->wake_fd, &count, sizeof count) < 0)
        return;
    pthread_mutex_lock(&r->mutex);
    q = r->answered;
    r->answered = NULL;
    r->answered_end = &r->answered;
    pthread_mutex_unlock(&r->mutex);
    while (q) {
        struct posix_lookup *next = q->next;

        if (q->done)
            q->done(q->ctx, q->list, q->count, q->why);
        free(q);
        q = next;
    }
}

static int start(struct posix_loop *l)
{
    struct posix_resolver *r = calloc(1, sizeof *r);
    pthread_t thread;
    sigset_t all, old;
    int rc;

    if (!r)
        return AMP_E_IO;
    r->asked_end = &r->asked;
    r->answered_end = &r->answered;
    r->users = 2;
    r->watch = (struct posix_watch){ .fd = -1, .ready = on_answered, .ctx = r };
    pthread_mutex_init(&r->mutex, NULL);
    pthread_cond_init(&r->wake, NULL);
    r->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (r->wake_fd < 0)
        goto fail;
    if (posix_watch_add(l, &r->watch, r->wake_fd, EPOLLIN) < 0)
        goto fail_fd;
    sigfillset(&all); /* signals belong to the loop's thread */
    pthread_sigmask(SIG_BLOCK, &all, &old);
    rc = pthread_create(&thread, NULL, work, r);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (rc != 0)
        goto fail_fd;
    pthread_detach(thread);
    l->resolver = r;
    return 0;
fail_fd:
    posix_watch_remove(l, &r->watch);
    close(r->wake_fd);
fail:
    pthread_cond_destroy(&r->wake);
    pthread_mutex_destroy(&r->mutex);
    free(r);
    return AMP_E_IO;
}

int posix_resolve(struct posix_loop *l, struct amp_text host, uint16_t port,
                  posix_resolved_fn *done, void *ctx, struct posix_address *list,
                  struct posix_lookup **out)
{
    struct posix_lookup *q;
    const char *why;
    int count;

    if (host.len > 2 && host.at[0] == '[' && host.at[host.len - 1] == ']')
        host = (struct amp_text){ host.at + 1, host.len - 2 }; /* an IPv6 number as URLs write it */
    if (host.len > POSIX_HOST_MAX)
        return AMP_E_SIZE;
    q = calloc(1, sizeof *q);
    if (!q)
        return AMP_E_IO;
    amp_text_copy(q->host, sizeof q->host, host);
    snprintf(q->service, sizeof q->service, "%u", port);
    count = ask(q->host, q->service, AI_NUMERICHOST, list, &why);
    if (count > 0 || (!l->resolver && start(l) < 0)) {
        free(q);
        return count > 0 ? count : AMP_E_IO;
    }
    q->done = done;
    q->ctx = ctx;
    *out = q;
    pthread_mutex_lock(&l->resolver->mutex);
    *l->resolver->asked_end = q;
    l->resolver->asked_end = &q->next;
    pthread_cond_signal(&l->resolver->wake);
    pthread_mutex_unlock(&l->resolver->mutex);
    return 0;
}

void posix_resolve_cancel(struct posix_lookup *q)
{
    q->done = NULL;
}

static void drop(struct posix_lookup *q)
{
    while (q) {
        struct posix_lookup *next = q->next;

        free(q);
        q = next;
    }
}

void posix_resolver_free(struct posix_loop *l)
{
    struct posix_resolver *r = l->resolver;

    if (!r)
        return;
    posix_watch_remove(l, &r->watch);
    pthread_mutex_lock(&r->mutex);
    r->quit = true;
    drop(r->asked);
    drop(r->answered);
    r->asked = r->answered = NULL;
    pthread_cond_signal(&r->wake);
    pthread_mutex_unlock(&r->mutex);
    let_go(r);
    l->resolver = NULL;
}
