#!/bin/sh
# The protocol library stands on C alone: no OS, no heap, no stdio. This looks at what its objects ask the linker for.
# usage: freestanding_test.sh ARCHIVE...      (built without sanitizers)
nm -g --defined-only "$@" | awk 'NF == 3 { print $3 }' | sort -u >"${TMPDIR:-/tmp}/amp-defined-$$"
nm -u "$@" | awk 'NF == 2 { print $2 }' | sort -u >"${TMPDIR:-/tmp}/amp-wanted-$$"
# string.h, helpers that compilers call on their own, and the counters of a coverage build
allowed='^(mem(cpy|move|set|cmp|chr)|str(len|cmp|ncmp|chr|rchr|cspn|spn|pbrk)|__aeabi_.*|__[a-z]+di[0-9]|__(u?div|u?mod|ctz|clz|popcount)[a-z0-9]+|_GLOBAL_OFFSET_TABLE_|__stack_chk_(fail|guard)|__gcov_.*)$'
wanted=$(comm -13 "${TMPDIR:-/tmp}/amp-defined-$$" "${TMPDIR:-/tmp}/amp-wanted-$$" | grep -vE "$allowed")
defined=$(wc -l <"${TMPDIR:-/tmp}/amp-defined-$$")
rm -f "${TMPDIR:-/tmp}/amp-defined-$$" "${TMPDIR:-/tmp}/amp-wanted-$$"
if [ "$defined" -lt 50 ]; then
    echo "only $defined symbols in $*: is this the library?"
elif [ -n "$wanted" ]; then
    echo "these must not be needed:" $wanted
else
    echo "1 passed, 0 failed"
    exit 0
fi
echo "0 passed, 1 failed"
exit 1
