# shellcheck shell=bash
# What the lines of the program `bench` say. Sourced by scripts/bench and by its tests.

# measured_rows LOG [PREFIX]: lines `ID VALUE`.
measured_rows() {
    awk -v prefix="${2:-}" '
        $1 == "BENCH" && $2 == "row" && $6 > 0 {
            printf $6 == 1 ? "%s%s/%s %d\n" : "%s%s/%s %.1f\n", prefix, $3, $4, $5 / $6
        }' "$1"
}

# measured_start LOG: from the first instruction of the kernel to the first of the program.
measured_start() {
    awk '
        / at the first instruction, / { first = $2; seen = 1 }
        $1 == "BENCH" && $2 == "start" && seen { printf "boot %d\n", $3 - first }' "$1"
}

# show_progress ARCH: from a log on standard input, a line for people now and then.
show_progress() {
    local line
    while read -r line; do
        [[ $line != "BENCH progress "* ]] || say "bench: $1, ${line##* } mappings exist"
    done
}

# check_rows ROWS RESULTS: every operation that is measured with ten mappings has a result that can be true.
check_rows() {
    awk '
        NR == FNR { value[$1] = $2; next }
        /^#/ || NF == 0 { next }
        { known[$1] = 1 }
        $1 ~ /^[a-z0-9_]+\/10$/ || $1 == "boot" {
            if (!($1 in value)) { print "bench: no result for " $1; bad = 1 }
        }
        END {
            for (id in value) {
                if (!(id in known)) { print "bench: bench/rows.txt has no row " id; bad = 1 }
                if (value[id] !~ /^[0-9.]+$/ || value[id] <= 0 || value[id] >= 1e9) { print "bench: " id " cannot take " value[id]; bad = 1 }
            }
            exit bad
        }' "$2" "$1" >&2
}
