//! What is said about a document that cannot be drawn.

mod common;

use common::*;

#[track_caller]
fn complains(json: &str, parts: &[&str]) {
    let said = complaint(json);
    for part in parts {
        assert!(said.contains(part), "`{part}` is not in: {said}");
    }
}

/// A document with a member of four pages and these rows.
fn with(rows: &[&str]) -> String {
    let mut all = vec![vmo(1040, None, 4, 0)];
    all.extend(rows.iter().map(|row| (*row).to_string()));
    document(&all)
}

#[test]
fn what_is_no_json_or_another_document_is_named() {
    complains("", &["breaks off"]);
    complains("[]", &["not what `vmo KOID --json` prints"]);
    complains("{}", &["without a format"]);
    let vmaps = r#"{"format":"jacinth-vmaps","version":1,"rows":[]}"#;
    complains(
        vmaps,
        &["`jacinth-vmaps`, version 1", "`jacinth-vmo`, version 1"],
    );
    complains(
        &with(&[]).replacen("\"first\"", "\"begin\"", 1),
        &["other columns"],
    );
    for member in ["vmo", "columns", "rows", "count"] {
        let json = with(&[]).replacen(&format!("\"{member}\":"), "\"other\":", 1);
        complains(&json, &["missing field", member]);
    }
}

#[test]
fn a_document_that_is_not_whole_is_refused() {
    complains(
        &with(&[]).replacen("\"count\":1", "\"count\":7", 1),
        &["1 rows", "counts 7"],
    );
    complains(
        &with(&[]).replacen("\"complete\":true", "\"complete\":false", 1),
        &["the family ended while it was shown"],
    );
}

#[test]
fn rows_of_the_wrong_shape_are_named_with_their_line() {
    for (row, part) in [
        (r#"["X",1]"#, "`X` is no kind of row; expected V, P or M"),
        (r#"["P",0,1,1]"#, "no column `koids`"),
        (r#"["P",-1,1,1,[1040]]"#, "invalid value"),
        (r#"["V",1041]"#, "no column `parent`"),
        (r#"["M",1040,null,"kernel",4096]"#, "expected a string"),
        (r#"{"kind":"V"}"#, "a row: [kind, …]"),
    ] {
        complains(&with(&[row]), &[part, "line 3"]);
    }
}

#[test]
fn rows_that_do_not_fit_are_named_with_their_number() {
    let before = pages(1, 2, &[1040]);
    for (rows, part) in [
        (
            vec![r#"["P",4,1,1,[1040]]"#],
            "row 2 lies outside its member",
        ),
        (
            vec![r#"["P",18446744073709551615,2,1,[1040]]"#],
            "row 2 lies outside its member",
        ),
        (vec![r#"["P",0,0,1,[1040]]"#], "row 2 has no pages"),
        (
            vec![r#"["P",0,1,0,[]]"#],
            "row 2 has no pages or nobody who sees them",
        ),
        (
            vec![&*before, r#"["P",2,1,1,[1040]]"#],
            "row 3 overlaps the run before",
        ),
        (
            vec![r#"["V",1041,null,"","anonymous",[],4503599627370497,0,1041,0,0,0]"#],
            "row 2 has more pages than a VMO can have",
        ),
    ] {
        complains(&with(&rows), &[part, "ask for it again"]);
    }
    complains(
        &document(&[pages(0, 1, &[1040])]),
        &["row 1 belongs to no member"],
    );
    let twice = [vmo(1040, None, 1, 0), vmo(1040, None, 1, 0)];
    complains(&document(&twice), &["a family with two members 1040"]);
}

#[test]
fn a_parent_that_is_not_there_or_younger_is_nobodys() {
    let rows = [
        vmo(1040, Some(1041), 1, 0),
        vmo(1041, Some(1041), 1, 0),
        vmo(1042, Some(7), 1, 0),
    ];
    let picture = elements(&draw(&rows));
    assert!(of_class(&picture, "vt-branch").is_empty());
    // What later versions add is skipped.
    let more = with(&[]).replacen("6144]", "6144,\"new\"]", 1);
    assert!(vmo_tree::draw(more.as_bytes(), 1).is_ok());
}
