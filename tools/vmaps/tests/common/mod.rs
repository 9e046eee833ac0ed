//! Documents to draw, and ways to look at pictures.

#![allow(
    dead_code,
    unused_imports,
    reason = "each test program uses a part of it"
)]

pub use drawing::inspect::*;

/// Where address spaces begin, and how large they are.
pub const BASE: u64 = 0x20_0000;
pub const SIZE: u64 = 1 << 40;

/// A page.
pub const PAGE: u64 = 4096;

/// A document whose rows, JSON arrays, are those in `rows`.
pub fn document(rows: &[String]) -> String {
    document_with(rows, rows.len(), Ending::Whole)
}

/// What a document says at its end about the walk that it is from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ending {
    /// All of the address space was shown.
    Whole,
    /// The address space ended while it was shown.
    BrokenOff,
}

/// The same, with what its end says.
pub fn document_with(rows: &[String], count: usize, ending: Ending) -> String {
    let rows = rows.join(",\n");
    let complete = ending == Ending::Whole;
    format!(
        r#"{{"format":"jacinth-vmaps","version":1,"architecture":"x86_64","kernel":"0.1.0","process":{{"koid":1030,"name":"test"}},"page_bytes":4096,"columns":["kind","depth","base","size","name","permissions","vmo","offset","committed"],"rows":[
{rows}
],"count":{count},"complete":{complete}}}"#
    )
}

/// The rows of an address space and its root region, to which others can be added.
pub fn root() -> Vec<String> {
    vec![
        format!(r#"["A",0,"{BASE:#x}",{SIZE},"test"]"#),
        vmar(1, BASE, SIZE, "root"),
    ]
}

/// A region's row. `name` is text between quotes of JSON.
pub fn vmar(depth: usize, base: u64, size: u64, name: &str) -> String {
    format!(r#"["R",{depth},"{base:#x}",{size},"{name}"]"#)
}

/// A mapping's row, half of it in memory.
pub fn mapping(depth: usize, base: u64, size: u64, permissions: &str) -> String {
    let committed = size / 2;
    format!(r#"["M",{depth},"{base:#x}",{size},"heap","{permissions}",1031,"0x0",{committed}]"#)
}

/// The picture of these rows.
pub fn draw(rows: &[String]) -> String {
    vmaps::draw(document(rows).as_bytes(), vmaps::DEFAULT_ROWS).expect("a good document")
}

/// What is said about a document that cannot be drawn.
pub fn complaint(json: &str) -> String {
    match vmaps::draw(json.as_bytes(), vmaps::DEFAULT_ROWS) {
        Ok(_) => panic!("it was drawn: {json}"),
        Err(error) => error.to_string(),
    }
}
