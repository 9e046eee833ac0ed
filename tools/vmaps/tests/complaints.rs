//! What is said about documents that cannot be drawn: what is wrong, and where.

mod common;

use common::*;

/// Checks that drawing fails and that all `parts` are said.
#[track_caller]
fn complains(json: &str, parts: &[&str]) {
    let said = complaint(json);
    for part in parts {
        assert!(said.contains(part), "`{part}` is not in: {said}");
    }
}

/// A document with one row more than the root.
fn with(row: &str) -> String {
    let mut rows = root();
    rows.push(row.into());
    document(&rows)
}

#[test]
fn what_is_no_json_is_named_with_its_line() {
    complains("", &["breaks off"]);
    complains("hello", &["line 1 column 1"]);
    let cut = document(&root());
    complains(&cut[..cut.len() - 30], &["breaks off", "line 3"]);
}

#[test]
fn other_documents_are_told_by_their_format() {
    complains("{}", &["without a format"]);
    complains("[]", &["not what `vmaps --json` prints"]);
    let walk = r#"{"format":"jacinth-walk","version":1,"rows":[]}"#;
    complains(
        walk,
        &["`jacinth-walk`, version 1", "`jacinth-vmaps`, version 1"],
    );
    let future = document(&root()).replacen("\"version\":1", "\"version\":2", 1);
    complains(&future, &["version 2"]);
    let columns = document(&root()).replacen("\"size\"", "\"length\"", 1);
    complains(&columns, &["other columns"]);
}

#[test]
fn members_that_are_missing_are_named() {
    for member in ["process", "columns", "rows", "count"] {
        let json = document(&root()).replacen(&format!("\"{member}\":"), "\"other\":", 1);
        complains(&json, &["missing field", member]);
    }
}

#[test]
fn a_document_that_is_not_whole_is_refused() {
    let rows = root();
    complains(
        &document_with(&rows, 5, Ending::Whole),
        &["2 rows", "counts 5"],
    );
    complains(
        &document_with(&rows, 2, Ending::BrokenOff),
        &["ended while it was shown", "2 rows"],
    );
}

#[test]
fn rows_of_the_wrong_shape_are_named_with_their_line() {
    for (row, part) in [
        (r#"["X",2,"0x200000",4096,"a"]"#, "`X` is no kind of row"),
        (r#"["R",2,"0x200000",4096]"#, "no column `name`"),
        (r#"["M",2,"0x200000",4096,"a"]"#, "no column `permissions`"),
        (
            r#"["M",2,"0x200000",4096,"a","rwz",1,"0x0",0]"#,
            "`rwz` are no permissions",
        ),
        (
            r#"["R",2,"200000",4096,"a"]"#,
            "`200000` is no number like 0x400000",
        ),
        (r#"["R",2,"0x+1",4096,"a"]"#, "`0x+1` is no number"),
        (r#"["R",2,2097152,4096,"a"]"#, "expected a string"),
        (r#"["R",-1,"0x200000",4096,"a"]"#, "invalid value"),
        (
            r#"["R",2,"0x200000",4096,{"hex":"f"}]"#,
            "two for each byte",
        ),
        (
            r#"{"kind":"R"}"#,
            "a row: [kind, depth, base, size, name, …]",
        ),
    ] {
        complains(&with(row), &[part, "line 4"]);
    }
}

#[test]
fn regions_that_do_not_fit_are_named_with_their_row() {
    let second = |row: &str| {
        with(&format!("{},\n{row}", mapping(2, BASE, 2 * PAGE, "rw-"))).replacen(
            "\"count\":3",
            "\"count\":4",
            1,
        )
    };
    for (json, part) in [
        (
            with(&vmar(2, BASE, 0, "a")),
            "row 3 is empty or wraps around",
        ),
        (
            with(&vmar(2, u64::MAX - PAGE, 4 * PAGE, "a")),
            "row 3 is empty or wraps around",
        ),
        (with(&vmar(2, BASE - PAGE, PAGE, "a")), "row 3 lies outside"),
        (with(&vmar(2, BASE, SIZE + PAGE, "a")), "row 3 lies outside"),
        (with(&vmar(3, BASE, PAGE, "a")), "row 3 is deeper"),
        (
            with(&vmar(0, BASE, PAGE, "a")),
            "row 3 is a second address space",
        ),
        (second(&vmar(3, BASE, PAGE, "a")), "row 4 is in a mapping"),
        (second(&vmar(2, BASE + PAGE, PAGE, "a")), "row 4 overlaps"),
        (second(&vmar(2, BASE, PAGE, "a")), "row 4 overlaps"),
    ] {
        complains(&json, &[part, "ask for it again"]);
    }
}
