//! Documents to draw, and ways to look at pictures.

#![allow(dead_code, reason = "each test program uses a part of it")]

use std::fmt::Write as _;

use quick_xml::Reader;
use quick_xml::events::Event;

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

/// An element of a picture: its name, attributes and text.
#[derive(Debug)]
pub struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub text: String,
}

impl Element {
    pub fn attribute(&self, name: &str) -> &str {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    pub fn number(&self, name: &str) -> f64 {
        self.attribute(name).parse().expect("a number")
    }
}

/// The elements of a picture, which must be well-formed XML.
pub fn elements(svg: &str) -> Vec<Element> {
    let mut reader = Reader::from_str(svg);
    reader.config_mut().check_end_names = true;
    let mut elements: Vec<Element> = Vec::new();
    let mut depth = 0;
    let mut is_open = false;
    loop {
        match reader.read_event().expect("well-formed XML") {
            Event::Eof => break,
            Event::Start(start) => {
                depth += 1;
                is_open = true;
                elements.push(element(&start));
            }
            Event::Empty(start) => elements.push(element(&start)),
            Event::End(_) => {
                depth -= 1;
                is_open = false;
            }
            Event::Text(_) if !is_open => {}
            Event::Text(text) => {
                let last = elements.last_mut().expect("text is in an element");
                last.text.push_str(&text.xml10_content());
            }
            Event::GeneralRef(reference) => {
                let last = elements.last_mut().expect("text is in an element");
                let character = match &*reference.xml10_content() {
                    "lt" => '<',
                    "gt" => '>',
                    "amp" => '&',
                    "quot" => '"',
                    "apos" => '\'',
                    other => panic!("what is {other}?"),
                };
                last.text.push(character);
            }
            other => panic!("no picture needs {other:?}"),
        }
    }
    assert_eq!(depth, 0, "an element is not closed");
    elements
}

fn element(start: &quick_xml::events::BytesStart<'_>) -> Element {
    let attributes = start.attributes().map(|attribute| {
        let attribute = attribute.expect("a good attribute");
        let value = attribute
            .normalized_value(quick_xml::XmlVersion::Explicit1_0)
            .expect("a good value");
        (attribute.key.0.to_string(), value.into_owned())
    });
    Element {
        name: start.name().0.to_string(),
        attributes: attributes.collect(),
        text: String::new(),
    }
}

/// The elements with a class, of which all the rest is not looked at.
pub fn of_class<'a>(elements: &'a [Element], class: &str) -> Vec<&'a Element> {
    elements
        .iter()
        .filter(|element| element.attribute("class") == class)
        .collect()
}

/// All text that a person would see.
pub fn seen(elements: &[Element]) -> String {
    let mut text = String::new();
    for element in elements.iter().filter(|element| element.name == "text") {
        writeln!(text, "{}", element.text).expect("a string takes it");
    }
    text
}
