# shellcheck shell=bash disable=SC2034
# What a log proves. Each function gets the log and the exit status of its step and sets `passed`,
# `failed` and `ignored` of its caller. A log without its last line is a failure, whatever else it says.
# Sourced by scripts/test.

# A step that makes something: it counts only when it fails.
count_build() { failed=$(($2 != 0)); }

# A step that is one test by itself.
count_single() {
    passed=$(($2 == 0))
    failed=$((1 - passed))
}

# A machine that has to report a failure, by the kernel's own verdict.
count_refusal() {
    passed=$(($2 == 35))
    failed=$((1 - passed))
}

# `cargo test`: the sum of its `test result:` lines.
count_cargo() {
    read -r passed failed ignored < <(awk '
        /^test result: / { for (i = 2; i <= NF; i++) { if ($i == "passed;") p += $(i-1); if ($i == "failed;") f += $(i-1); if ($i == "ignored;") g += $(i-1) } }
        END { print p + 0, f + 0, g + 0 }' "$1")
    ((passed + failed > 0 && ($2 == 0 || failed > 0))) || failed=$((failed + 1))
}

# Lines `KTEST ok|fail|ignored NAME` and a last `KTEST-RESULT`.
count_kernel() { count_lines KTEST "$@"; }

# Lines `TEST ok|fail NAME` and a last `TEST-RESULT`.
count_user() { count_lines TEST "$@"; }

# count_lines WORD LOG STATUS: the lines must add up to what the result line says, and the
# machine's verdict must agree with it.
count_lines() {
    local said_passed='' said_failed=''
    read -r passed failed ignored said_passed said_failed < <(tr -d '\r' <"$2" | awk -v word="$1" '
        $1 == word { count[$2]++ }
        $1 == word "-RESULT" { for (i = 2; i <= NF; i++) { split($i, pair, "="); said[pair[1]] = pair[2] } seen++ }
        END {
            if (seen != 1) { said["passed"] = said["failed"] = "none" }
            print count["ok"] + 0, count["fail"] + 0, count["ignored"] + 0, said["passed"], said["failed"]
        }')
    if [[ $said_passed != "$passed" || $said_failed != "$failed" ]]; then
        echo "tests: counted $passed passed and $failed failed, but the result line says $said_passed and $said_failed" >>"$2"
        failed=$((failed + 1))
    elif ((passed == 0 || ($3 != 0 && failed == 0))); then
        echo "tests: $passed passed, $failed failed, but the machine ended with status $3" >>"$2"
        failed=$((failed + 1))
    fi
}
