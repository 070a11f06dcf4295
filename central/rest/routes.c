/* central/rest/routes.c - every path that people and programs may ask for: the table of contents of
 * the API. The router, the role check, the check of query names, OpenAPI and the tests read it. */
#include "central/rest/routes.h"
#include "central/rest/audit.h"

#include "messages/api.h"

#define V1 "/api/v1"

/* clang-format off */
const struct rest_route rest_routes[] = {
    /* chargers */
    { "GET", V1 "/chargers", ROLE_OPERATOR, rest_list_chargers, API_LIST_CHARGERS, NULL, 200, NULL,
      "All chargers with their connectors and what runs on them" },
    { "POST", V1 "/chargers", ROLE_ADMIN, rest_create_charger, API_CREATE_CHARGER, "Charger", 201, NULL,
      "Make a charger known before it connects" },
    { "GET", V1 "/chargers/{id}", ROLE_OPERATOR, rest_get_charger, API_GET_CHARGER, "Charger", 200, NULL,
      "One charger" },
    { "PATCH", V1 "/chargers/{id}", ROLE_ADMIN, rest_update_charger, API_UPDATE_CHARGER, "Charger", 200, NULL,
      "Accept or reject a charger that knocks; a rejected one is disconnected" },
    /* commands to a charger */
    { "POST", V1 "/chargers/{id}/remote-start", ROLE_OPERATOR, rest_operation, API_REMOTE_START, "Command", 202, "wait",
      "Start a charging session" },
    { "POST", V1 "/chargers/{id}/remote-stop", ROLE_OPERATOR, rest_remote_stop, API_REMOTE_STOP, "Command", 202, "wait",
      "Stop the session named by transaction or connector, or the only one that runs" },
    { "POST", V1 "/chargers/{id}/unlock", ROLE_OPERATOR, rest_operation, API_UNLOCK, "Command", 202, "wait",
      "Unlock the cable of a connector" },
    { "POST", V1 "/chargers/{id}/reset", ROLE_OPERATOR, rest_operation, API_RESET, "Command", 202, "wait",
      "Restart the charger: Soft after its sessions ended, Hard at once" },
    { "POST", V1 "/chargers/{id}/trigger", ROLE_OPERATOR, rest_operation, API_TRIGGER, "Command", 202, "wait",
      "Ask the charger to send a message now" },
    { "POST", V1 "/chargers/{id}/extended-trigger", ROLE_OPERATOR, rest_operation, API_EXTENDED_TRIGGER, "Command", 202, "wait",
      "The same with the messages of the security extension" },
    { "POST", V1 "/chargers/{id}/change-availability", ROLE_OPERATOR, rest_operation, API_CHANGE_AVAILABILITY, "Command", 202, "wait",
      "Take a connector, or with connectorId 0 the charger, into or out of service" },
    { "POST", V1 "/chargers/{id}/change-configuration", ROLE_OPERATOR, rest_operation, API_CHANGE_CONFIGURATION, "Command", 202, "wait",
      "Set a configuration key of the charger" },
    { "POST", V1 "/chargers/{id}/get-configuration", ROLE_OPERATOR, rest_operation, API_GET_CONFIGURATION, "Command", 202, "wait",
      "Read configuration keys of the charger: those named, or all" },
    { "POST", V1 "/chargers/{id}/clear-cache", ROLE_OPERATOR, rest_operation, API_CLEAR_CACHE, "Command", 202, "wait",
      "Empty the charger's cache of authorisations" },
    { "POST", V1 "/chargers/{id}/data-transfer", ROLE_OPERATOR, rest_operation, API_DATA_TRANSFER, "Command", 202, "wait",
      "Send a vendor's own message" },
    { "POST", V1 "/chargers/{id}/get-composite-schedule", ROLE_OPERATOR, rest_operation, API_GET_COMPOSITE_SCHEDULE, "Command", 202, "wait",
      "Ask what the charger's profiles add up to" },
    { "POST", V1 "/chargers/{id}/commands", ROLE_OPERATOR, rest_send_command, API_SEND_COMMAND, "Command", 202, "wait",
      "Send any action of OCPP that a charger answers; checked against its definition first" },
    { "GET", V1 "/commands", ROLE_OPERATOR, rest_list_commands, API_LIST_COMMANDS, NULL, 200, "charger action before limit",
      "Commands, newest first" },
    { "GET", V1 "/commands/{key}", ROLE_OPERATOR, rest_get_command, API_GET_COMMAND, "Command", 200, "wait",
      "One command: its state, times and answer" },
    /* what happened */
    { "GET", V1 "/transactions", ROLE_OPERATOR, rest_list_transactions, API_LIST_TRANSACTIONS, NULL, 200,
      "charger connector tag open from to before limit", "Charging sessions, newest first" },
    { "GET", V1 "/transactions/{id}", ROLE_OPERATOR, rest_get_transaction, API_GET_TRANSACTION, "Transaction", 200, NULL,
      "One charging session" },
    { "GET", V1 "/transactions/{id}/readings", ROLE_OPERATOR, rest_list_readings, API_LIST_READINGS, NULL, 200, "before limit",
      "Meter readings of a session, oldest first" },
    { "GET", V1 "/messages", ROLE_OPERATOR, rest_list_messages, API_LIST_MESSAGES, NULL, 200,
      "charger action direction type from to text errors before limit", "The log of OCPP messages in both directions, newest first" },
    { "GET", V1 "/audit", ROLE_ADMIN, rest_list_audit, API_LIST_AUDIT, NULL, 200,
      "who action kind thing charger from to before limit", "Who changed what, newest first" },
    /* tags */
    { "GET", V1 "/tags", ROLE_OPERATOR, rest_list_tags, API_LIST_TAGS, NULL, 200, "search status parent after limit",
      "Tags that may charge, or may not, by name; search looks for a part of tag or note" },
    { "PUT", V1 "/tags", ROLE_ADMIN, rest_put_tags, API_PUT_TAGS, NULL, 200, NULL,
      "Create or change many tags, all or none" },
    { "GET", V1 "/tags.csv", ROLE_OPERATOR, rest_export_tags, -1, NULL, 200, "search status parent after limit",
      "The same as a spreadsheet; a Next-After header is the `after` of the next file" },
    { "PUT", V1 "/tags.csv", ROLE_ADMIN, rest_import_tags, -1, NULL, 200, NULL,
      "Create or change tags from a spreadsheet with the columns tag, status, parent, expiresAt, note; all or none" },
    { "GET", V1 "/tags/{tag}", ROLE_OPERATOR, rest_get_tag, API_GET_TAG, "Tag", 200, NULL,
      "One tag" },
    { "PUT", V1 "/tags/{tag}", ROLE_ADMIN, rest_put_tag, API_PUT_TAG, "Tag", 200, NULL,
      "Create or change a tag" },
    { "DELETE", V1 "/tags/{tag}", ROLE_ADMIN, rest_delete_tag, -1, NULL, 204, NULL,
      "Delete a tag" },
    /* people */
    { "POST", V1 "/session", 0, rest_log_in, API_LOGIN, "Person", 200, NULL,
      "Log in; sets a cookie" },
    { "DELETE", V1 "/session", 0, rest_log_out, -1, NULL, 204, NULL,
      "Log out" },
    { "POST", V1 "/setup/{token}", 0, rest_set_up, API_SETUP, "Person", 201, NULL,
      "Create the first administrator with the one-time link of the first start" },
    { "GET", V1 "/me", ROLE_USER, rest_get_me, API_GET_ME, "Person", 200, NULL,
      "Who am I" },
    { "GET", V1 "/users", ROLE_ADMIN, rest_list_users, API_LIST_USERS, NULL, 200, NULL,
      "Accounts" },
    { "POST", V1 "/users", ROLE_ADMIN, rest_create_user, API_CREATE_USER, "User", 201, NULL,
      "Create an account" },
    { "PATCH", V1 "/users/{id}", ROLE_ADMIN, rest_update_user, API_UPDATE_USER, "User", 200, NULL,
      "Change an account; blocking it, a new role or a new password ends its logins" },
    /* live */
    { "GET", V1 "/live", ROLE_OPERATOR, rest_live, API_SUBSCRIBE, NULL, 101, NULL,
      "The live feed over a WebSocket: send the request body below, receive the answers below" },
    { "GET", V1 "/events", ROLE_OPERATOR, rest_events, -1, NULL, 200, "topics charger since",
      "The live feed as Server-Sent Events" },
    /* the server itself */
    { "GET", V1 "/openapi.json", 0, rest_openapi, -1, NULL, 200, NULL,
      "This description" },
    { "GET", "/healthz", 0, rest_healthz, -1, "Health", 200, NULL,
      "The process is alive" },
    { "GET", "/readyz", 0, rest_readyz, -1, "Health", 200, NULL,
      "The process can store what it is told" },
    { "GET", "/metrics", ROLE_OPERATOR, rest_metrics, -1, NULL, 200, NULL,
      "Counters for Prometheus" },
    /* the page */
    { "GET", "/", 0, rest_page, -1, NULL, 200, NULL, "The live page" },
    { "GET", "/setup/{token}", 0, rest_setup_page, -1, NULL, 200, NULL, "The page behind the one-time link" },
    { "GET", "/assets/{file}", 0, rest_asset, -1, NULL, 200, NULL, "Scripts and styles of the page" },
    { "GET", "/favicon.svg", 0, rest_asset, -1, NULL, 200, NULL, "Its sign" },
};
/* clang-format on */
const size_t rest_route_count = AMP_COUNT(rest_routes);
