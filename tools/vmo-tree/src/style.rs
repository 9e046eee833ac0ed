//! Colours and type, as one style sheet, and the classes that it has.
//!
//! Colours are told apart by people who see no red or no green too. There are fewer of them than families may have
//! members, so they come again; titles and the tree on the left say the rest.

use std::fmt::Write as _;

use drawing::canvas::Canvas;

/// How many colours there are.
pub const COLOUR_COUNT: usize = 12;

/// The colours of members, in the order in which these come.
const COLOURS: [&str; COLOUR_COUNT] = [
    "#2a78b8", "#e0912f", "#2f9e77", "#c44f8c", "#7a5cc2", "#b0a01c", "#4fb3d9", "#b5482a",
    "#7fae3f", "#8a8f9c", "#d98fb8", "#5a4a3a",
];

const SHEET: &str = "
.vt-page{fill:#fff}
.vt-sans,.vt-title,.vt-note,.vt-name,.vt-asked,.vt-fact{font-family:'DejaVu Sans','Segoe UI','Helvetica',sans-serif;font-size:11px}
.vt-number,.vt-count{font-family:'DejaVu Sans Mono','Menlo','Consolas',monospace;font-size:9px}
text{fill:#23262e}
.vt-title{font-size:20px;font-weight:bold}
.vt-note,.vt-fact{fill:#5b606c}
.vt-fact{font-size:9.5px}
.vt-name,.vt-asked{font-weight:bold}
.vt-asked{text-decoration:underline}
.vt-number{fill:#7d818c}
.vt-count{fill:#3c414c;text-anchor:middle}
.vt-rule{stroke:#d5d8df;fill:none}
.vt-branch{stroke:#9aa0ad;fill:none}
.vt-frame{fill:none;stroke:#6b707c}
.vt-window{fill:none;stroke:#6b707c;stroke-dasharray:3 2}
.vt-absent{fill:#fff;stroke:#b9bdc7}
.vt-edge{fill:none;stroke:#23262e;stroke-opacity:.45}
.vt-others{fill:#c9ccd4}
.vt-band{fill:#f5f6f9}
";

/// The class of what belongs to the owner with this number.
pub fn colour(owner: usize) -> String {
    format!("vt-colour{}", owner % COLOUR_COUNT)
}

/// Writes the style sheet.
pub fn write(canvas: &mut Canvas) {
    let mut sheet = String::from(SHEET);
    for (index, colour) in COLOURS.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = writeln!(sheet, ".vt-colour{index}{{fill:{colour}}}");
    }
    canvas.open("defs", &[]);
    canvas.with_text("style", &[], &sheet);
    canvas.close("defs");
}
