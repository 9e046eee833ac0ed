# shellcheck shell=bash disable=SC2154
# What the test runner believes of a log. Sourced by all.

source ../test-counts.sh

# counted KIND STATUS LINE…: "passed failed ignored" for a log of these lines.
counted() {
    local passed=0 failed=0 ignored=0
    printf '%s\r\n' "${@:3}" >"$work/log"
    "count_$1" "$work/log" "$2"
    echo "$passed $failed $ignored"
}

expect "kernel lines are counted" "2 0 1" \
    "$(counted kernel 0 'KTEST ok a' 'KTEST ok b' 'KTEST ignored c' 'KTEST-RESULT passed=2 failed=0 ignored=1')"
expect "failures are counted" "1 1 0" \
    "$(counted kernel 35 'KTEST ok a' 'KTEST fail b' 'KTEST-RESULT passed=1 failed=1 ignored=0')"
expect "a log that breaks off is a failure" "1 1 0" "$(counted kernel 0 'KTEST ok a')"
expect "a lost test is a failure" "1 1 0" "$(counted kernel 0 'KTEST ok a' 'KTEST-RESULT passed=2 failed=0 ignored=0')"
expect "a bad end after good tests is a failure" "1 1 0" \
    "$(counted kernel 124 'KTEST ok a' 'KTEST-RESULT passed=1 failed=0 ignored=0')"
expect "no test at all is a failure" "0 1 0" "$(counted kernel 0 'KTEST-RESULT passed=0 failed=0 ignored=0')"
expect "two results are a failure" "1 1 0" \
    "$(counted user 0 'TEST ok a' 'TEST-RESULT passed=1 failed=0' 'TEST-RESULT passed=1 failed=0')"
expect "user lines are counted" "1 0 0" "$(counted user 0 'TEST ok a' 'TEST-RESULT passed=1 failed=0')"
expect "kernel lines are no user lines" "0 1 0" "$(counted user 0 'KTEST ok a' 'KTEST-RESULT passed=1 failed=0 ignored=0')"
expect "cargo's results are added up" "5 0 1" \
    "$(counted cargo 0 'test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured' 'test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured')"
expect "a build error is a failure" "0 1 0" "$(counted cargo 101 'error: could not compile')"
expect "a crash after good tests is a failure" "2 1 0" "$(counted cargo 101 'test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured')"
expect "only the kernel's verdict refuses" "1 0 0" "$(counted refusal 35 '')"
expect "a reset is no refusal" "0 1 0" "$(counted refusal 2 '')"
