//! Documents to draw, and ways to look at pictures.

#![allow(
    dead_code,
    unused_imports,
    reason = "each test program uses a part of it"
)]

pub use drawing::inspect::*;

/// What comes before the rows.
const HEAD: &str = r#"{"format":"jacinth-vmo","version":1,"architecture":"x86_64","kernel":"0.1.0","vmo":1040,"page_bytes":4096,"columns":{"V":["kind","koid","parent","name","type","properties","pages","position","shows","committed","private","scaled"],"P":["kind","first","pages","sharers","koids"],"M":["kind","vmo","process","name","base","size","permissions","offset"]},"rows":["#;

/// A document whose rows are those in `rows`.
pub fn document(rows: &[String]) -> String {
    let count = rows.len();
    format!(
        "{HEAD}\n{}\n],\"count\":{count},\"complete\":true}}\n",
        rows.join(",\n")
    )
}

/// A member's row, at a position in the family's numbering.
pub fn vmo(koid: u64, parent: Option<u64>, pages: u64, position: u64) -> String {
    let parent = parent.map_or("null".into(), |parent| parent.to_string());
    format!(
        r#"["V",{koid},{parent},"vmo{koid}","anonymous",["resizable"],{pages},{position},{koid},8192,4096,6144]"#
    )
}

/// A member that shows another's pages.
pub fn slice(koid: u64, shows: u64, pages: u64, position: u64) -> String {
    format!(r#"["V",{koid},{shows},"vmo{koid}","slice",[],{pages},{position},{shows},0,0,0]"#)
}

/// Pages of the member before that these see.
pub fn pages(first: u64, pages: u64, koids: &[u64]) -> String {
    let sharers = koids.len();
    format!(r#"["P",{first},{pages},{sharers},{koids:?}]"#)
}

/// A mapping of a member.
pub fn mapping(vmo: u64) -> String {
    format!(r#"["M",{vmo},1030,"family","0x200000",4096,"rw-","0x0"]"#)
}

/// The picture of these rows.
pub fn draw(rows: &[String]) -> String {
    vmo_tree::draw(document(rows).as_bytes(), vmo_tree::DEFAULT_ROWS).expect("a good document")
}

/// What is said about a document that cannot be drawn.
pub fn complaint(json: &str) -> String {
    match vmo_tree::draw(json.as_bytes(), vmo_tree::DEFAULT_ROWS) {
        Ok(_) => panic!("it was drawn: {json}"),
        Err(error) => error.to_string(),
    }
}

/// The squares and cells of the picture, without those of the legend: those to the right of the tree, from
/// the top to the bottom and from the left to the right.
pub fn cells<'a>(elements: &'a [Element], class: &str) -> Vec<&'a Element> {
    let last = of_class(elements, "vt-rule");
    let legend = last[1].attribute("d").split(['M', ' ', 'H']).nth(2);
    let legend: f64 = legend.and_then(|y| y.parse().ok()).expect("a rule");
    let mut cells = of_class(elements, class);
    cells.retain(|cell| cell.number("x") >= 300.0 && cell.number("y") < legend);
    cells
}

/// All titles, which are what is said about what one points at.
pub fn titles(elements: &[Element]) -> Vec<&str> {
    let titles = elements.iter().filter(|element| element.name == "title");
    titles.map(|title| &*title.text).collect()
}
