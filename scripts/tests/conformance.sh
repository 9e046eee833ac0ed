# shellcheck shell=bash disable=SC2016,SC2154
# Every test that docs/conformance.md names is one that the conformance program has. Sourced by all.

# missing_tests: the names in the page for which no module has a function.
missing_tests() {
    local name module program=../../user/programs/src/bin/conformance
    grep -oE '`[a-z_]+(::[a-z_]+)+`' ../../docs/conformance.md | tr -d '`' | sort -u | while read -r name; do
        module=${name%::*}
        if [[ -e $program/${name//:://}.rs ]]; then continue; fi
        grep -qE "(^ +|\[)${name##*::}," "$program/${module//:://}.rs" 2>/dev/null || echo "$name"
    done
}

expect "every test that the page on conformance names exists" "" "$(missing_tests)"
