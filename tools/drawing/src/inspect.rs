//! Ways to look at pictures, for tests. What is not as it must be panics.

use std::fmt::Write as _;

use quick_xml::Reader;
use quick_xml::events::Event;

/// An element of a picture: its name, attributes and text.
#[derive(Debug)]
pub struct Element {
    /// Its name.
    pub name: String,
    /// Its attributes.
    pub attributes: Vec<(String, String)>,
    /// The text in it.
    pub text: String,
}

impl Element {
    /// An attribute's value; empty if there is none.
    pub fn attribute(&self, name: &str) -> &str {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    /// An attribute that is a number.
    ///
    /// # Panics
    /// It is none.
    pub fn number(&self, name: &str) -> f64 {
        self.attribute(name).parse().expect("a number")
    }
}

/// The elements of a picture.
///
/// # Panics
/// The picture is no well-formed XML, or has something that no picture needs.
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
