/* ports/posix/image.h - firmware images as files: what they are called, and who vouches for them.
 *
 * An image begins with one line, "amperstand-firmware VERSION" (1 to 50 printable characters without blanks), the rest is its own
 * business. Whoever makes an image signs the whole file: SHA-256 with RSA-PSS or ECDSA, base64. The folder of roots holds the
 * manufacturer's certificates as maker*.pem, where pki.h keeps those that the central system installs, and lists of revoked ones as
 * maker*.crl (PEM); a list makes revocation be checked. */
#ifndef POSIX_IMAGE_H
#define POSIX_IMAGE_H

#include "ocpp/err.h"
#include "ocpp/text.h"

#define POSIX_IMAGE_MAGIC "amperstand-firmware "

/* 0; AMP_E_ABSENT: no file; AMP_E_CORRUPT: no image. */
int posix_image_version(const char *path, char out[51]) AMP_CHECKED;

/* Is the certificate (PEM; certificates behind the first one are intermediate) valid now and from the manufacturer? 0; AMP_E_AUTH: no;
 * AMP_E_STATE: revoked. */
int posix_image_trust(const char *roots, struct amp_text pem) AMP_CHECKED;

/* Did the owner of the certificate sign this file? 0; AMP_E_AUTH: no; AMP_E_IO: a file cannot be read. */
int posix_image_verify(const char *path, const char *certificate_path, const char *signature_path) AMP_CHECKED;

#endif
