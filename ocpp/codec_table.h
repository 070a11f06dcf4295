/* ocpp/codec_table.h - the tables that messages/generate.py writes and the codec walks. Private to
 * both. They are constant, hold no pointers where an index does, and are the same for every byte
 * order. */
#ifndef AMP_CODEC_TABLE_H
#define AMP_CODEC_TABLE_H

#include "ocpp/codec.h"

enum amp_kind {
    AMP_K_INT,    /* int64_t */
    AMP_K_DEC,    /* struct amp_dec */
    AMP_K_BOOL,   /* bool */
    AMP_K_TIME,   /* int64_t, Unix ms */
    AMP_K_TEXT,   /* struct amp_text */
    AMP_K_ENUM,   /* enum of `size` bytes, `ref` in enums */
    AMP_K_RECORD, /* struct or pointer to it, `ref` in records */
    AMP_K_ANY,    /* struct amp_text, the source text of any value */
    AMP_K_CUSTOM  /* the same, but an object with vendorId: customData of 2.x */
};

enum amp_field_flag {
    AMP_F_REQUIRED = 1 << 0,
    AMP_F_LIST = 1 << 1, /* struct { T *at; uint32_t len; }; count between list_min and list_max */
    AMP_F_LAX = 1 << 2,  /* '~': the limits bind only what we send */
    AMP_F_SECRET = 1 << 3,  /* never in a log */
    AMP_F_ID = 1 << 4,      /* identifierString: A-Za-z0-9*-_=:+|@. only */
    AMP_F_NAME = 1 << 5,    /* names somebody or something: an empty text says nothing */
    AMP_F_POINTER = 1 << 6, /* a record that may be absent */
    AMP_F_HAS = 1 << 7, /* presence is bit `has` of uint32_t has, has2 at the start of the struct */
    AMP_F_WHOLE = 1 << 8,  /* a decimal that must be whole in this version */
    AMP_F_TENTHS = 1 << 9, /* a decimal of at most one fraction digit */
    AMP_F_WORDS = 1 << 10, /* a text that must be one of the words of enum `ref` in this version */
    AMP_F_LOW = 1 << 11,   /* a number of at least `low` */
    AMP_F_HIGH = 1 << 12,  /* a number of at most `high` */
    AMP_F_DEFAULT = 1 << 13, /* absent has a meaning, and so has an empty text */
    AMP_F_WIDE = 1 << 14     /* an integer that may be sent beyond 32 bits */
};

struct amp_field {
    uint16_t name;     /* in names */
    uint16_t offset;   /* in the struct */
    uint16_t size;     /* of one value in C */
    uint16_t flags;    /* enum amp_field_flag */
    int32_t low, high; /* numbers: bounds; texts: `high` characters at most */
    uint16_t list_max; /* 0: any */
    uint16_t ref;      /* in records or enums */
    uint8_t list_min;
    uint8_t kind; /* enum amp_kind */
    uint8_t name_len;
    uint8_t has; /* bit number */
};

/* What the tables of one protocol share. `names` holds every name padded with 1 to 8 NUL to a
 * multiple of 8, so that it can be compared in words of 8 and printed as a C string. */
struct amp_home {
    const char *names;
    const struct amp_record *const *records;
    const struct amp_enum *const *enums;
};

/* Fields in their order on the wire, at most 64. [1] is for OCPP 2.1, [0] for everything else. */
struct amp_record {
    const struct amp_home *home;
    const struct amp_field *fields[2];
    uint64_t required[2]; /* bit a field */
    uint8_t count[2];
    uint16_t size; /* of the struct, a multiple of 4 */
    /* rules that concern several fields (messages/rules.c), NULL if there are none; fills rc, path
     * and why */
    int (*check)(const void *in, struct amp_fault *fault);
};

struct amp_word {
    uint16_t name; /* in names */
    uint16_t len;
};

struct amp_enum {
    const char *names;
    const struct amp_word *words; /* words[0] is value 1 */
    const uint8_t *slots;         /* perfect hash: slot to value, 0 if none */
    uint64_t mul;                 /* makes it perfect */
    uint8_t shift;
    uint8_t count[2]; /* as in amp_record */
    bool open;        /* value words + 1 stands for what is unknown */
};

/* The hash over a word of `len` bytes: `first` its first 8, `last` its last 8, `middle` the 8 in
 * front of those; byte 0 lowest. A word shorter than 8 is `first` and `last` at once, padded with
 * 0; one shorter than 16 has no middle. generate.py computes the same. */
static inline unsigned amp_word_slot(const struct amp_enum *e, uint64_t first, uint64_t middle,
                                     uint64_t last, uint32_t len)
{
    uint64_t mix = first ^ (last << 7 | last >> 57) ^ (middle << 23 | middle >> 41) ^ len;

    return (unsigned)(mix * e->mul >> e->shift);
}

#endif
