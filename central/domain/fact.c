/* central/domain/fact.c - what all facts share: where their texts are, the names of their states.
 */
#include "central/domain/fact.h"
#include <stdlib.h>

/* An offset of a text, counted from the start of struct fact. */
#define AT(member) (uint16_t) offsetof(struct fact, u.member)

static const uint16_t charger_texts[] = {
    AT(charger.id),         AT(charger.vendor),       AT(charger.model),    AT(charger.serial),
    AT(charger.box_serial), AT(charger.firmware),     AT(charger.iccid),    AT(charger.imsi),
    AT(charger.meter_type), AT(charger.meter_serial), AT(charger.protocol), AT(charger.address),
};
static const uint16_t connector_texts[] = {
    AT(connector.status),    AT(connector.error),        AT(connector.info),
    AT(connector.vendor_id), AT(connector.vendor_error),
};
static const uint16_t status_texts[] = { AT(status.status), AT(status.error), AT(status.info) };
static const uint16_t transaction_texts[] = {
    AT(transaction.uid),    AT(transaction.tag),     AT(transaction.stop_tag),
    AT(transaction.reason), AT(transaction.missing),
};
static const uint16_t reading_texts[] = { AT(reading.samples) };
static const uint16_t message_texts[] = {
    AT(message.action),
    AT(message.payload),
    AT(message.correlation),
    AT(message.error),
};
static const uint16_t command_texts[] = {
    AT(command.action),      AT(command.payload),  AT(command.answer),
    AT(command.correlation), AT(command.by),       AT(command.progress),
    AT(command.was),         AT(command.expected), AT(command.trace),
};
static const uint16_t tag_texts[] = { AT(tag.tag), AT(tag.parent), AT(tag.note), AT(tag.status) };
static const uint16_t user_texts[] = { AT(user.login), AT(user.name), AT(user.password) };
static const uint16_t login_texts[] = { AT(login.token) };
static const uint16_t api_key_texts[] = { AT(api_key.hash), AT(api_key.name) };
static const uint16_t connection_texts[] = {
    AT(connection.id),
    AT(connection.address),
    AT(connection.reason),
};

static const uint16_t audit_texts[] = {
    AT(audit.who),    AT(audit.action), AT(audit.kind),   AT(audit.thing),
    AT(audit.before), AT(audit.after),  AT(audit.reason),
};
static const uint16_t config_texts[] = { AT(config.name), AT(config.value) };
static const uint16_t file_texts[] = { AT(file.name),   AT(file.type),  AT(file.note),
                                       AT(file.sha256), AT(file.token), AT(file.by) };
static const uint16_t batch_texts[] = { AT(batch.action), AT(batch.payload), AT(batch.note),
                                        AT(batch.by),     AT(batch.trace),   AT(batch.targets) };
static const uint16_t quirk_texts[] = { AT(quirk.name), AT(quirk.vendor), AT(quirk.model),
                                        AT(quirk.note) };
static const uint16_t reservation_texts[] = { AT(reservation.tag), AT(reservation.parent),
                                              AT(reservation.by), AT(reservation.why) };
static const uint16_t list_texts[] = { AT(list.name), AT(list.note) };
static const uint16_t list_entry_texts[] = { AT(list_entry.list), AT(list_entry.tag) };
static const uint16_t charger_list_texts[] = { AT(charger_list.list), AT(charger_list.why) };
static const uint16_t profile_texts[] = { AT(profile.name), AT(profile.note), AT(profile.body) };
static const uint16_t installed_texts[] = { AT(installed.name), AT(installed.purpose),
                                            AT(installed.body), AT(installed.pending),
                                            AT(installed.why) };

static const uint16_t load_group_texts[] = { AT(load_group.id), AT(load_group.name),
                                             AT(load_group.parent) };
static const uint16_t load_member_texts[] = { AT(load_member.group) };

static const uint16_t access_texts[] = {
    AT(access.password),
    AT(access.next),
    AT(access.certificate),
};
static const uint16_t boot_rule_texts[] = {
    AT(boot_rule.name),  AT(boot_rule.id),     AT(boot_rule.vendor),
    AT(boot_rule.model), AT(boot_rule.serial), AT(boot_rule.firmware),
};
static const uint16_t certificate_texts[] = {
    AT(certificate.id),  AT(certificate.serial), AT(certificate.issuer), AT(certificate.name),
    AT(certificate.csr), AT(certificate.pem),    AT(certificate.reason),
};
static const uint16_t refusal_texts[] = {
    AT(refusal.kind), AT(refusal.id), AT(refusal.address), AT(refusal.name), AT(refusal.reason),
};

static const uint16_t shape_texts[] = { AT(shape.text) };

#define TEXTS(list)           \
    {                         \
        list, AMP_COUNT(list) \
    }
static const struct {
    const uint16_t *at;
    size_t count;
} texts[FACT_KINDS] = {
    [FACT_CHARGER] = TEXTS(charger_texts),
    [FACT_CONNECTOR] = TEXTS(connector_texts),
    [FACT_STATUS] = TEXTS(status_texts),
    [FACT_TRANSACTION] = TEXTS(transaction_texts),
    [FACT_READING] = TEXTS(reading_texts),
    [FACT_MESSAGE] = TEXTS(message_texts),
    [FACT_COMMAND] = TEXTS(command_texts),
    [FACT_TAG] = TEXTS(tag_texts),
    [FACT_USER] = TEXTS(user_texts),
    [FACT_LOGIN] = TEXTS(login_texts),
    [FACT_API_KEY] = TEXTS(api_key_texts),
    [FACT_CONNECTION] = TEXTS(connection_texts),
    [FACT_AUDIT] = TEXTS(audit_texts),
    [FACT_LOAD_GROUP] = TEXTS(load_group_texts),
    [FACT_LOAD_MEMBER] = TEXTS(load_member_texts),
    [FACT_QUIRK] = TEXTS(quirk_texts),
    [FACT_RESERVATION] = TEXTS(reservation_texts),
    [FACT_LIST] = TEXTS(list_texts),
    [FACT_LIST_ENTRY] = TEXTS(list_entry_texts),
    [FACT_CHARGER_LIST] = TEXTS(charger_list_texts),
    [FACT_PROFILE] = TEXTS(profile_texts),
    [FACT_INSTALLED] = TEXTS(installed_texts),
    [FACT_ACCESS] = TEXTS(access_texts),
    [FACT_BOOT_RULE] = TEXTS(boot_rule_texts),
    [FACT_CERTIFICATE] = TEXTS(certificate_texts),
    [FACT_REFUSAL] = TEXTS(refusal_texts),
    [FACT_CONFIG] = TEXTS(config_texts),
    [FACT_FILE] = TEXTS(file_texts),
    [FACT_BATCH] = TEXTS(batch_texts),
    [FACT_SHAPE] = TEXTS(shape_texts),
};

size_t fact_texts(enum fact_kind kind, const uint16_t **offsets)
{
    unsigned k = (unsigned)kind;

    *offsets = k < FACT_KINDS ? texts[k].at : NULL;
    return k < FACT_KINDS ? texts[k].count : 0;
}

struct fact *fact_copy(const struct fact *f)
{
    const uint16_t *at;
    size_t count = fact_texts(f->kind, &at), size = sizeof(*f);
    struct fact *copy;
    char *end;

    for (size_t i = 0; i < count; i++)
        size += ((const struct amp_text *)(const void *)((const char *)f + at[i]))->len;
    copy = malloc(size);
    if (!copy)
        abort(); /* the heap gives or the process ends: a fact that is half kept is worse */
    *copy = *f;
    end = (char *)(copy + 1);
    for (size_t i = 0; i < count; i++) {
        struct amp_text *t = (struct amp_text *)(void *)((char *)copy + at[i]);

        if (!t->at)
            continue; /* absent stays absent; an empty one points behind the struct, and stays
                         present */
        if (t->len)
            memcpy(end, t->at, t->len);
        t->at = end;
        end += t->len;
    }
    return copy;
}

/* The name of `value` in a table of `count`, whose gaps are NULL. */
static const char *name_of(const char *const *names, size_t count, int value)
{
    return value >= 0 && (size_t)value < count && names[value] ? names[value] : "";
}

const char *transaction_state_name(int state)
{
    static const char *const names[] = {
        [TX_PENDING_START] = "PENDING_START",
        [TX_RUNNING] = "RUNNING",
        [TX_SUSPENDED] = "SUSPENDED",
        [TX_PENDING_STOP] = "PENDING_STOP",
        [TX_STOPPED] = "STOPPED",
        [TX_COMPLETED] = "COMPLETED",
        [TX_BILLING_FAILED] = "BILLING_FAILED",
        [TX_CANCELLED] = "CANCELLED",
        [TX_FAILED] = "FAILED",
    };

    return name_of(names, AMP_COUNT(names), state);
}

const char *command_state_name(int state)
{
    static const char *const names[] = {
        [COMMAND_QUEUED] = "queued",       [COMMAND_SENT] = "sent",
        [COMMAND_ACCEPTED] = "accepted",   [COMMAND_REJECTED] = "rejected",
        [COMMAND_ERROR] = "error",         [COMMAND_TIMED_OUT] = "timed out",
        [COMMAND_CONFIRMED] = "confirmed", [COMMAND_NO_EFFECT] = "no effect",
    };

    return name_of(names, AMP_COUNT(names), state);
}

const char *connection_state_name(int state)
{
    static const char *const names[] = {
        [CONNECTION_NEVER] = "never",
        [CONNECTION_CONNECTED] = "connected",
        [CONNECTION_STALE] = "stale",
        [CONNECTION_DISCONNECTED] = "disconnected",
    };

    return name_of(names, AMP_COUNT(names), state);
}

const char *registration_name(int registration)
{
    static const char *const names[] = {
        [REGISTRATION_PENDING] = "pending",
        [REGISTRATION_ACCEPTED] = "accepted",
        [REGISTRATION_REJECTED] = "rejected",
    };

    return name_of(names, AMP_COUNT(names), registration);
}

const char *role_name(int role)
{
    static const char *const names[] = {
        [ROLE_USER] = "USER",
        [ROLE_OPERATOR] = "OPERATOR",
        [ROLE_ADMIN] = "ADMIN",
    };

    return name_of(names, AMP_COUNT(names), role);
}

const char *reservation_state_name(int state)
{
    static const char *const names[] = {
        [RESERVATION_REQUESTED] = "requested", [RESERVATION_UNCERTAIN] = "uncertain",
        [RESERVATION_ACTIVE] = "active",       [RESERVATION_REFUSED] = "refused",
        [RESERVATION_CANCELLED] = "cancelled", [RESERVATION_USED] = "used",
        [RESERVATION_EXPIRED] = "expired",     [RESERVATION_VOID] = "void",
    };

    return name_of(names, AMP_COUNT(names), state);
}

const char *charger_list_state_name(int state)
{
    static const char *const names[] = {
        [CHARGER_LIST_IDLE] = "none",
        [CHARGER_LIST_PENDING] = "pending",
        [CHARGER_LIST_SENDING] = "sending",
        [CHARGER_LIST_ASKING] = "asking",
        [CHARGER_LIST_SYNCED] = "synced",
        [CHARGER_LIST_FAILED] = "failed",
        [CHARGER_LIST_UNSUPPORTED] = "unsupported",
    };

    return name_of(names, AMP_COUNT(names), state);
}

const char *installed_state_name(int state)
{
    static const char *const names[] = {
        [INSTALLED_REQUESTED] = "requested",
        [INSTALLED_HERE] = "installed",
        [INSTALLED_STALE] = "stale",
        [INSTALLED_GONE] = "gone",
    };

    return name_of(names, AMP_COUNT(names), state);
}

const char *certificate_state_name(int state)
{
    static const char *const names[] = {
        [CERTIFICATE_ASKED] = "asked",         [CERTIFICATE_ISSUED] = "issued",
        [CERTIFICATE_INSTALLED] = "installed", [CERTIFICATE_REFUSED] = "refused",
        [CERTIFICATE_FAILED] = "failed",       [CERTIFICATE_REVOKED] = "revoked",
    };

    return name_of(names, AMP_COUNT(names), state);
}
