/* cli/admin_ca.c - amperstand admin ca show: the certificate authority of a data folder, for whoever
 * brings its root to stations. It only reads ca.pem, so a server may run meanwhile. */
#include "cli/admin.h"
#include "cli/cli.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

static X509 *read_ca(const char *data)
{
    char path[1024];
    FILE *file;
    X509 *x;

    snprintf(path, sizeof path, "%s/ca.pem", data);
    file = fopen(path, "re");
    if (!file) {
        fprintf(stderr,
                "amperstand admin: %s: %s; the authority is made when TLS is spoken for the first "
                "time (--tls-listen), or a station asks for a certificate\n",
                path, strerror(errno));
        return NULL;
    }
    x = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    if (!x)
        fprintf(stderr, "amperstand admin: %s: is no certificate; restore it from a backup\n", path);
    return x;
}

/* What stands before the PEM is skipped by all who read one. */
int admin_ca_show(const char *data)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    X509 *x = read_ca(data);

    if (!x)
        return CLI_STORAGE;
    if (X509_digest(x, EVP_sha256(), digest, &len) != 1)
        len = 0;
    printf("sha256 ");
    for (unsigned i = 0; i < len; i++)
        printf("%s%02X", i ? ":" : "", digest[i]);
    putchar('\n');
    PEM_write_X509(stdout, x);
    X509_free(x);
    return CLI_OK;
}
