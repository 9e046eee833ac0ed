//! Shapes and text as SVG elements. What is given as text is escaped here.

use std::borrow::Cow;

use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};

/// An SVG document that is being written.
///
/// Writing to memory cannot fail, so nothing here does.
pub struct Canvas {
    writer: Writer<Vec<u8>>,
}

/// A rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rectangle {
    /// The left edge.
    pub x: f64,
    /// The upper edge.
    pub y: f64,
    /// The width.
    pub width: f64,
    /// The height.
    pub height: f64,
}

/// Where text stands: its left end, its middle or its right end, by the class's `text-anchor`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// From the left.
    pub x: f64,
    /// The base line.
    pub y: f64,
}

impl Canvas {
    /// A document that begins with its root element.
    pub fn new(root: &[(&str, &str)]) -> Self {
        let mut canvas = Self {
            writer: Writer::new_with_indent(Vec::new(), b' ', 1),
        };
        canvas.open("svg", root);
        canvas
    }

    /// Begins an element.
    pub fn open(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.event(Event::Start(element(name, attributes)));
    }

    /// Ends the element `name`.
    pub fn close(&mut self, name: &str) {
        self.event(Event::End(BytesEnd::new(name)));
    }

    /// An element with nothing in it.
    pub fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.event(Event::Empty(element(name, attributes)));
    }

    /// An element with text in it.
    pub fn with_text(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.open(name, attributes);
        self.event(Event::Text(BytesText::new(text)));
        self.close(name);
    }

    /// Begins a group that says what it shows.
    pub fn open_group(&mut self, title: &str) {
        self.open("g", &[]);
        self.with_text("title", &[], title);
    }

    /// Ends a group.
    pub fn close_group(&mut self) {
        self.close("g");
    }

    /// A rectangle with a class.
    pub fn rectangle(&mut self, class: &str, rectangle: Rectangle) {
        let [x, y, width, height] =
            [rectangle.x, rectangle.y, rectangle.width, rectangle.height].map(number);
        let attributes = [
            ("class", class),
            ("x", &x),
            ("y", &y),
            ("width", &width),
            ("height", &height),
        ];
        self.empty("rect", &attributes);
    }

    /// A path with a class.
    pub fn path(&mut self, class: &str, path: &str) {
        self.empty("path", &[("class", class), ("d", path)]);
    }

    /// Text with a class.
    pub fn text(&mut self, class: &str, place: Place, text: &str) {
        let [x, y] = [place.x, place.y].map(number);
        self.with_text("text", &[("class", class), ("x", &x), ("y", &y)], text);
    }

    /// The document.
    pub fn finish(mut self) -> String {
        self.close("svg");
        let mut text = String::from_utf8_lossy(&self.writer.into_inner()).into_owned();
        text.push('\n');
        text
    }

    fn event(&mut self, event: Event<'_>) {
        self.writer
            .write_event(event)
            .expect("a vector takes all that is written to it");
    }
}

fn element<'a>(name: &'a str, attributes: &[(&'a str, &'a str)]) -> BytesStart<'a> {
    let attributes = attributes
        .iter()
        .map(|(name, value)| (*name, Cow::Borrowed(*value)));
    BytesStart::new(name).with_attributes(attributes)
}

/// A number with at most two decimals.
pub fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".into()
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_short_as_can_be() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.001, "0"),
            (1.5, "1.5"),
            (10.0, "10"),
            (0.125, "0.12"),
        ] {
            assert_eq!(number(value), expected);
        }
    }

    #[test]
    fn text_and_attributes_are_escaped() {
        let mut canvas = Canvas::new(&[("a", "\"<&>'\n")]);
        canvas.text("b", Place { x: 1.0, y: 2.0 }, "<script>&\"");
        let svg = canvas.finish();
        assert!(!svg.contains("<script>"), "{svg}");
        assert!(svg.contains("&lt;script&gt;&amp;"), "{svg}");
        assert!(svg.contains("a=\"&quot;&lt;&amp;"), "{svg}");
    }
}
