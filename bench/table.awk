# Makes tables of bench/rows.txt and of what was measured.
#
#   awk -v format=text|json|markdown|document -f bench/table.awk bench/rows.txt [x86_64=FILE] [aarch64=FILE]
#
# `about` has members for the JSON object, whose `rows` are the results. A file of results has lines `ID VALUE`. `document` makes the table of references and targets, without results.
# Expects LC_ALL=C, so that strings are bytes.

BEGIN {
    FS = " *[|] *"
    for (i = 2; i < ARGC; i++) {
        split(ARGV[i], argument, "=")
        architectures[++architecture_count] = argument[1]
        read_results(argument[1], argument[2])
        delete ARGV[i]
    }
}

/^#/ || NF == 0 { next }

{
    id[++count] = $1
    operation[count] = $2
    linux["x86_64", count] = $3
    linux["aarch64", count] = $4
    target["x86_64", count] = $5
    target["aarch64", count] = $6
}

END {
    if (format == "document") {
        print_document()
        exit
    }
    if (format == "json") printf "{%s, \"rows\": [\n", about
    for (i = 1; i <= architecture_count; i++) print_architecture(architectures[i])
    if (format == "json") print "\n]}"
}

function read_results(architecture, file, words) {
    while ((getline line <file) > 0) {
        split(line, words, " ")
        value[architecture, words[1]] = words[2]
    }
    close(file)
    add_growth(architecture, "map_unmap", "/10", "/100000")
    add_growth(architecture, "write_absent", "/10", "/100000")
    add_growth(architecture, "read_generation", "_0/10", "_100/10")
    add_growth(architecture, "write_generation", "_1/10", "_1000/10")
}

# add_growth NAME FROM TO: how much more an operation takes in the one case than in the other.
function add_growth(architecture, name, from, to, few, many) {
    few = value[architecture, name from]
    many = value[architecture, name to]
    if (few > 0 && many > 0) value[architecture, "growth:" name] = sprintf("%.2f", many / few)
}

function print_architecture(architecture, row, ours, wanted, verdict, met, missed) {
    print_head(architecture)
    for (row = 1; row <= count; row++) {
        ours = value[architecture, id[row]]
        if (ours == "") continue
        wanted = target[architecture, row]
        verdict = "-"
        if (wanted != "-") {
            verdict = ours + 0 <= wanted + 0 ? "met" : "missed"
            if (verdict == "met") met++
            else missed++
        }
        print_row(architecture, row, ours, verdict)
    }
    if (format == "text") printf "%s: %d targets met, %d missed\n\n", architecture, met, missed
    if (format == "markdown") printf "\n%d targets met, %d missed.\n%s", met, missed, architecture == architectures[architecture_count] ? "" : "\n"
}

function print_head(architecture) {
    if (format == "markdown") {
        printf "### %s\n\n", architecture
        print "| operation | instructions | Linux | Linux ÷ ours | target | verdict |"
        print "|---|--:|--:|--:|--:|---|"
    } else if (format == "text") {
        print_text(architecture, "instructions", "Linux", "ratio", "target", "verdict")
        print_text("-", "-", "-", "-", "-", "-", "-")
    }
}

function print_row(architecture, row, ours, verdict, theirs, wanted, ratio) {
    theirs = linux[architecture, row]
    wanted = target[architecture, row]
    ratio = theirs == "-" || id[row] ~ /^growth:/ ? "-" : sprintf("%.1f", theirs / ours)
    if (format == "json") {
        printf "%s  {\"architecture\": \"%s\", \"id\": \"%s\", \"operation\": \"%s\", \"instructions\": %s, \"linux\": %s, \"ratio\": %s, \"target\": %s, \"verdict\": %s}",
            json_rows++ ? ",\n" : "", architecture, id[row], operation[row], ours,
            json(theirs), json(ratio), json(wanted), verdict == "-" ? "null" : "\"" verdict "\""
    } else if (format == "markdown") {
        printf "| %s | %s | %s | %s | %s | %s |\n", operation[row], grouped(ours), grouped(theirs), ratio, grouped(wanted),
            verdict == "missed" ? "**missed**" : verdict
    } else {
        print_text(operation[row], grouped(ours), grouped(theirs), ratio == "-" ? ratio : ratio " x", grouped(wanted), verdict)
    }
}

function json(text) { return text == "-" ? "null" : text }

# print_text …, FILL: one line of aligned columns; FILL, if given, fills them.
function print_text(name, ours, theirs, ratio, wanted, verdict, fill) {
    print padded(name, -78, fill) padded(ours, 14, fill) padded(theirs, 15, fill) padded(ratio, 10, fill) padded(wanted, 12, fill) \
        "  " padded(verdict, -7, fill)
}

# padded TEXT WIDTH FILL: to the right for a negative width, else to the left.
function padded(text, width, fill, left) {
    left = width < 0
    width = left ? -width : width
    fill = fill == "" ? " " : fill
    while (columns(text) < width) text = left ? text fill : fill text
    return text
}

# columns TEXT: what it takes on a screen; all but the first byte of a character in UTF-8 are not counted.
function columns(text) {
    gsub(/[\200-\277]/, "", text)
    return length(text)
}

# grouped NUMBER: with a comma after each three digits.
function grouped(number, whole, rest, result) {
    if (number !~ /^[0-9.]+$/) return number
    whole = number
    sub(/[.].*/, "", whole)
    rest = substr(number, length(whole) + 1)
    while (length(whole) > 3) {
        result = "," substr(whole, length(whole) - 2) result
        whole = substr(whole, 1, length(whole) - 3)
    }
    return whole result rest
}

function print_document(row) {
    print "| operation | Linux x86 | Linux a64 | target x86 | target a64 |"
    print "|---|--:|--:|--:|--:|"
    for (row = 1; row <= count; row++) {
        if (linux["x86_64", row] == "-" && target["x86_64", row] == "-") continue
        printf "| %s | %s | %s | %s | %s |\n", operation[row], grouped(linux["x86_64", row]), grouped(linux["aarch64", row]),
            grouped(target["x86_64", row]), grouped(target["aarch64", row])
    }
}
