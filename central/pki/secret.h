/* central/pki/secret.h - passwords of chargers (AuthorizationKey). They are long and random, so
 * they are kept as a salted SHA-256 that is compared in constant time: Argon2 at each reconnect of
 * 100,000 stations would cost CPU-minutes (DESIGN.md decision 11). ocpp-facts S2, S4, S5. */
#ifndef CENTRAL_SECRET_H
#define CENTRAL_SECRET_H

#include "ocpp/err.h"
#include "ocpp/text.h"

#define SECRET_STORED_MAX 104 /* of the stored text, with its terminator */
#define SECRET_HEX        40  /* digits of a generated one: 20 bytes, the most that 1.6 allows */
#define SECRET_LEAST      8   /* bytes of one that is given */

/* To be stored. 32 to 40 hex digits, an even number, mean the bytes that they stand for. */
void secret_hash(struct amp_text password, char out[SECRET_STORED_MAX]);
/* Is it that one: its bytes, or the hex digits of its bytes (E39)? Takes the same time whatever is
 * stored, also when nothing is (absent: never). */
bool secret_matches(struct amp_text stored, struct amp_text given);
/* A new one, SECRET_HEX hex digits, terminated. */
void secret_generate(char out[SECRET_HEX + 1]);
/* Would a station take it as AuthorizationKey: 32 to 40 hex digits? */
bool secret_is_key(struct amp_text password);

#endif
