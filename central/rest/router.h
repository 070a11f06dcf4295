/* central/rest/router.h - from method and path to a route. Pure, so that a table can test it. */
#ifndef CENTRAL_REST_ROUTER_H
#define CENTRAL_REST_ROUTER_H

#include "central/rest/call.h"

/* Find the route. 0; AMP_E_ABSENT: no such path; AMP_E_SUPPORT: the path exists with other methods,
 * named in `allow`
 * ("GET, POST"); AMP_E_FORMAT: a bad percent escape or a segment that is too long. HEAD finds GET.
 */
int rest_match(const struct rest_route *routes, size_t count, struct amp_text method,
               struct amp_text path, const struct rest_route **out,
               char params[REST_PARAMS_MAX][REST_PARAM_MAX], char allow[64]);

/* The next name=value of a query, still encoded. False at the end. */
bool rest_query_next(struct amp_text *query, struct amp_text *name, struct amp_text *value);
/* Decode one value, '+' is a blank. Length, or AMP_E_FORMAT, AMP_E_FULL. Terminated. */
int rest_query_decode(struct amp_text in, char *out, size_t cap) AMP_CHECKED;
/* Is `name` one of the blank separated `names`? */
bool rest_listed(const char *names, struct amp_text name);

#endif
