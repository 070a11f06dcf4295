/* ports/posix/pki_files.c - the directory of keys and certificates: what is written aside and
 * renamed, and what is there at the start. See pki.h. */
#include "ports/posix/pki_inner.h"
#include "ports/posix/x509.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const use_names[] = {
    [AMP_ROOT_CENTRAL] = "central", [AMP_ROOT_MAKER] = "maker"
};

static int path_of(const struct posix_pki *p, const char *name, char *out)
{
    int n = snprintf(out, PATH_MAX, "%s/%s", p->dir, name);

    return n > 0 && n < PATH_MAX ? 0 : AMP_E_IO;
}

static int write_all(int fd, const char *at, long len)
{
    while (len > 0) {
        ssize_t n = write(fd, at, (size_t)len);

        if (n < 0 && errno != EINTR)
            return AMP_E_IO;
        if (n > 0) {
            at += n;
            len -= n;
        }
    }
    return 0;
}

static int sync_dir(const struct posix_pki *p)
{
    int fd = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

    if (fd < 0)
        return AMP_E_IO;
    rc = fsync(fd) < 0 ? AMP_E_IO : 0;
    close(fd);
    return rc;
}

/* The directory and the one above it. */
static int make_dir(const char *dir)
{
    char above[PATH_MAX];
    char *slash;

    if (snprintf(above, sizeof above, "%s", dir) >= (int)sizeof above)
        return AMP_E_IO;
    slash = strrchr(above, '/');
    if (slash && slash != above) {
        *slash = 0;
        if (mkdir(above, 0700) < 0 && errno != EEXIST)
            return AMP_E_IO;
    }
    return mkdir(dir, 0700) < 0 && errno != EEXIST ? AMP_E_IO : 0;
}

/* What `bio` holds becomes the file `name`, whole or not at all. */
int pki_keep(const struct posix_pki *p, const char *name, BIO *bio)
{
    char path[PATH_MAX], tmp[PATH_MAX];
    char *data;
    long len = BIO_get_mem_data(bio, &data);
    int fd, rc = AMP_E_IO;

    if (!p->dir[0])
        return 0;
    if (path_of(p, name, path) < 0 || path_of(p, "new.tmp", tmp) < 0 || make_dir(p->dir) < 0)
        return AMP_E_IO;
    fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return AMP_E_IO;
    if (write_all(fd, data, len) == 0 && fsync(fd) == 0)
        rc = 0;
    if (close(fd) < 0)
        rc = AMP_E_IO;
    if (rc == 0 && (rename(tmp, path) < 0 || sync_dir(p) < 0))
        rc = AMP_E_IO;
    if (rc < 0)
        unlink(tmp);
    return rc;
}

int pki_forget(const struct posix_pki *p, const char *name)
{
    char path[PATH_MAX];

    if (!p->dir[0])
        return 0;
    if (path_of(p, name, path) < 0 || (unlink(path) < 0 && errno != ENOENT))
        return AMP_E_IO;
    return sync_dir(p);
}

void pki_own_name(unsigned number, char out[32])
{
    snprintf(out, 32, "own-%u.pem", number);
}

void pki_root_name(const struct root *r, char out[32])
{
    snprintf(out, 32, "%s-%u.pem", use_names[r->use], r->number);
}

static void load_own(struct posix_pki *p, const char *path, unsigned number)
{
    EVP_PKEY *key = posix_key_of_file(path);
    STACK_OF(X509) *chain = posix_chain_of_file(path);

    if (key && chain && X509_check_private_key(sk_X509_value(chain, 0), key) == 1) {
        pki_add_own(p, key, chain, number);
        return;
    }
    ERR_clear_error();
    EVP_PKEY_free(key);
    sk_X509_pop_free(chain, X509_free);
}

static void load_root(struct posix_pki *p, const char *path, enum amp_root use, unsigned number)
{
    STACK_OF(X509) *chain = posix_chain_of_file(path);
    X509 *x = chain ? sk_X509_shift(chain) : NULL;

    sk_X509_pop_free(chain, X509_free);
    if (x && pki_add_root(p, x, use, number) < 0)
        X509_free(x);
}

static void load_file(struct posix_pki *p, const char *name)
{
    char path[PATH_MAX];
    unsigned number;
    int end = 0;

    if (path_of(p, name, path) < 0)
        return;
    if (sscanf(name, "own-%u.pem%n", &number, &end) == 1 && end && !name[end] && number)
        load_own(p, path, number);
    else if (sscanf(name, "central-%u.pem%n", &number, &end) == 1 && end && !name[end] && number)
        load_root(p, path, AMP_ROOT_CENTRAL, number);
    else if (sscanf(name, "maker-%u.pem%n", &number, &end) == 1 && end && !name[end] && number)
        load_root(p, path, AMP_ROOT_MAKER, number);
    else if (strcmp(name, "pending.key") == 0 && !p->pending)
        p->pending = posix_key_of_file(path);
}

int pki_load(struct posix_pki *p)
{
    struct dirent *e;
    DIR *d;

    d = opendir(p->dir);
    if (!d)
        return errno == ENOENT ? 0 : AMP_E_IO; /* nothing was ever stored */
    while ((e = readdir(d)) != NULL)
        load_file(p, e->d_name);
    closedir(d);
    return 0;
}
