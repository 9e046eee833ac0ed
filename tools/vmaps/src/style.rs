//! Colours, hatching and type, as one style sheet, and the classes that it has.
//!
//! Colours are told apart by people who see no red or no green too, and the letters of the permissions stand
//! beside them.

use std::fmt::Write as _;

use drawing::canvas::Canvas;

use crate::document::Permissions;

/// The colour of an area and that of its edge and hatching, for each of the permissions.
const COLOURS: [(&str, &str); Permissions::COUNT] = [
    ("#e8e9ee", "#7d818c"),
    ("#eadcf3", "#7c44a3"),
    ("#d5f0f0", "#1f8080"),
    ("#f7cbc6", "#bf2a1f"),
    ("#d2e4f6", "#2a6ca8"),
    ("#fce3b6", "#b8740c"),
    ("#d5edd2", "#33823a"),
    ("#f7cbc6", "#bf2a1f"),
];

const SHEET: &str = "
.vm-page{fill:#fff}
.vm-mono,.vm-address,.vm-edge-address,.vm-number,.vm-letters{font-family:'DejaVu Sans Mono','Menlo','Consolas',monospace;font-size:11px}
.vm-sans,.vm-title,.vm-note,.vm-head,.vm-head-right,.vm-gap-text,.vm-region-name{font-family:'DejaVu Sans','Segoe UI','Helvetica',sans-serif;font-size:11px}
text{fill:#23262e}
.vm-title{font-size:20px;font-weight:bold}
.vm-note{fill:#5b606c}
.vm-head,.vm-head-right{fill:#5b606c;font-size:10px}
.vm-address,.vm-number,.vm-head-right{text-anchor:end}
.vm-address{fill:#3c414c}
.vm-edge-address{text-anchor:end;fill:#9498a3}
.vm-letters{font-weight:bold}
.vm-region-name{font-weight:bold}
.vm-gap-text{fill:#7d818c;text-anchor:middle;font-size:10px}
.vm-mono,.vm-number,.vm-letters{paint-order:stroke;stroke:#fff;stroke-opacity:.72;stroke-width:3px;stroke-linejoin:round}
.vm-region{fill:#f5f6f9;stroke:#9aa0ad}
.vm-region-odd{fill:#fdfdfe;stroke:#9aa0ad}
.vm-gap{fill:#fff;stroke:#b9bdc7;stroke-dasharray:2 3}
.vm-torn{fill:#fff;stroke:#b9bdc7}
.vm-crowd{fill:#fff;stroke:#6b707c;stroke-width:1.2}
.vm-rule{stroke:#d5d8df;fill:none}
.vm-scale{fill:#eef0f4;stroke:#c3c7d0}
.vm-mark{fill:#23262e}
.vm-none{fill:#c9ccd4}
.vm-strip-hatch{fill:url(#vm-hatch-strip)}
";

impl Permissions {
    /// The class of areas with these permissions.
    pub fn area(self) -> String {
        format!("vm-area{}", self.index())
    }

    /// The class of hatching over such areas.
    pub fn hatching(self) -> String {
        format!("vm-hatching{}", self.index())
    }
}

/// Writes the style sheet and the patterns of hatching.
pub fn write(canvas: &mut Canvas) {
    let mut sheet = String::from(SHEET);
    for (index, (area, edge)) in COLOURS.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = writeln!(
            sheet,
            ".vm-area{index}{{fill:{area};stroke:{edge}}}\n\
             .vm-fill{index}{{fill:{edge};fill-opacity:.62}}\n\
             .vm-hatching{index}{{fill:url(#vm-hatch{index})}}"
        );
    }
    canvas.open("defs", &[]);
    canvas.with_text("style", &[], &sheet);
    for (index, (_, edge)) in COLOURS.iter().enumerate() {
        hatch(canvas, &index.to_string(), edge, "6");
    }
    hatch(canvas, "-strip", "#14161b", "4");
    canvas.close("defs");
}

/// A pattern of slanting lines.
fn hatch(canvas: &mut Canvas, name: &str, colour: &str, step: &str) {
    canvas.open(
        "pattern",
        &[
            ("id", &format!("vm-hatch{name}")),
            ("width", step),
            ("height", step),
            ("patternUnits", "userSpaceOnUse"),
            ("patternTransform", "rotate(45)"),
        ],
    );
    canvas.empty(
        "path",
        &[
            ("d", &format!("M0 0V{step}")),
            ("stroke", colour),
            ("stroke-width", "1.4"),
            ("stroke-opacity", ".5"),
        ],
    );
    canvas.close("pattern");
}
