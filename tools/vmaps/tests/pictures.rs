//! What pictures show, and what they say to those who cannot see them.

mod common;

use common::*;

/// The areas of mappings in the picture, without those of the legend.
fn areas(elements: &[Element], index: usize) -> Vec<&Element> {
    let mut areas = of_class(elements, &format!("vm-area{index}"));
    areas.retain(|area| area.number("width") > 100.0);
    areas
}

const READ_WRITE: usize = 6;

#[test]
fn permissions_choose_the_class_and_stand_beside_it() {
    let mut rows = root();
    for (place, permissions) in ["---", "r--", "rw-", "r-x", "rwx", "--x"]
        .into_iter()
        .enumerate()
    {
        rows.push(mapping(2, BASE + place as u64 * PAGE, PAGE, permissions));
    }
    let elements = elements(&draw(&rows));
    for index in [0, 4, 6, 5, 7, 1] {
        assert_eq!(areas(&elements, index).len(), 1, "{index}");
    }
    let letters: Vec<_> = of_class(&elements, "vm-letters")
        .iter()
        .map(|element| element.text.clone())
        .collect();
    assert_eq!(letters, ["---", "r--", "rw-", "r-x", "rwx", "--x"]);
}

#[test]
fn a_region_is_around_what_is_in_it() {
    let mut rows = root();
    rows.push(vmar(2, BASE + PAGE, 64 * PAGE, "outer"));
    rows.push(vmar(3, BASE + 2 * PAGE, 8 * PAGE, "inner"));
    rows.push(mapping(4, BASE + 2 * PAGE, PAGE, "rw-"));
    let elements = elements(&draw(&rows));
    let mut boxes = of_class(&elements, "vm-region");
    boxes.extend(of_class(&elements, "vm-region-odd"));
    boxes.sort_by(|one, other| one.number("x").total_cmp(&other.number("x")));
    boxes.extend(areas(&elements, READ_WRITE));
    assert_eq!(boxes.len(), 4);
    for (outer, inner) in boxes.iter().zip(&boxes[1..]) {
        let edges = |element: &Element, start, length| {
            let start = element.number(start);
            (start, start + element.number(length))
        };
        for (start, length) in [("x", "width"), ("y", "height")] {
            let (outer, inner) = (edges(outer, start, length), edges(inner, start, length));
            assert!(
                outer.0 < inner.0 && inner.1 < outer.1,
                "{outer:?} {inner:?}"
            );
        }
    }
}

#[test]
fn nothing_overlaps_what_is_beside_it() {
    let mut rows = root();
    for place in 0..20 {
        let size = PAGE << (place % 10);
        rows.push(mapping(2, BASE + place * (PAGE << 12), size, "rw-"));
    }
    let elements = elements(&draw(&rows));
    let areas = areas(&elements, READ_WRITE);
    assert_eq!(areas.len(), 20);
    for (upper, lower) in areas.iter().zip(&areas[1..]) {
        assert!(upper.number("y") + upper.number("height") < lower.number("y"));
    }
    let height = elements[0].number("height");
    let lowest = areas[19].number("y") + areas[19].number("height");
    assert!(lowest < height);
}

#[test]
fn gaps_are_seen_before_between_and_after_and_wide_ones_are_torn() {
    let mut rows = root();
    rows.push(mapping(2, BASE + PAGE, PAGE, "rw-"));
    rows.push(mapping(2, BASE + 2 * PAGE, PAGE, "r--"));
    rows.push(mapping(2, BASE + (1 << 31), PAGE, "rw-"));
    let picture = elements(&draw(&rows));
    let free: Vec<_> = of_class(&picture, "vm-gap-text")
        .iter()
        .map(|element| element.text.clone())
        .collect();
    assert_eq!(free, ["4k free", "1.9G free", "1021.9G free"]);
    let small = of_class(&picture, "vm-gap");
    assert_eq!(
        small
            .iter()
            .filter(|gap| gap.number("width") > 100.0)
            .count(),
        1
    );
    // Two, and that of the legend.
    assert_eq!(of_class(&picture, "vm-torn").len(), 3);
}

#[test]
fn as_much_is_hatched_as_is_in_memory() {
    let mut rows = root();
    rows.push(mapping(2, BASE, 4 * PAGE, "rw-"));
    let picture = elements(&draw(&rows));
    let area = areas(&picture, READ_WRITE)[0].number("width");
    let hatched = of_class(&picture, "vm-hatching6")[0].number("width");
    assert!((hatched / area - 0.5).abs() < 0.01, "{hatched} of {area}");
}

#[test]
fn a_larger_mapping_is_higher_and_none_is_too_low_for_its_text() {
    let mut rows = root();
    for (place, size) in [PAGE, 1 << 20, 1 << 30].into_iter().enumerate() {
        rows.push(mapping(2, BASE + ((place as u64) << 32), size, "rw-"));
    }
    let picture = elements(&draw(&rows));
    let heights: Vec<_> = areas(&picture, READ_WRITE)
        .iter()
        .map(|area| area.number("height"))
        .collect();
    assert!(heights.is_sorted_by(|low, high| low < high), "{heights:?}");
    assert!(heights[0] >= 18.0);
}

#[test]
fn the_text_alternative_says_what_the_picture_shows() {
    let mut rows = root();
    rows.push(mapping(2, BASE, 4 * PAGE, "rw-"));
    let picture = elements(&draw(&rows));
    let svg = &picture[0];
    assert_eq!(svg.attribute("role"), "img");
    let labels: Vec<_> = svg.attribute("aria-labelledby").split(' ').collect();
    let labelled: Vec<_> = picture
        .iter()
        .filter(|element| labels.contains(&element.attribute("id")))
        .collect();
    assert_eq!(labelled[0].name, "title");
    assert_eq!(
        labelled[0].text,
        "Address space of process ‘test’ (koid 1030)"
    );
    assert_eq!(labelled[1].name, "desc");
    for part in [
        "2 regions",
        "1 VMAR ",
        "1 mapping of 16k, 8k of it in memory",
        "1 rw-",
        "0x200000",
    ] {
        assert!(labelled[1].text.contains(part), "{}", labelled[1].text);
    }
    let titles: Vec<_> = picture
        .iter()
        .filter(|element| element.name == "title")
        .map(|element| element.text.clone())
        .collect();
    assert!(
        titles
            .iter()
            .any(|title| title.starts_with("0x200000 to 0x204000: rw- mapping of VMO ‘heap’"))
    );
}

#[test]
fn names_are_escaped_wherever_they_stand() {
    let mut rows = root();
    let evil = r#"</text><script>alert(\"1\")</script>&amp;\u0000\u202e"#;
    rows.push(vmar(2, BASE, PAGE, evil));
    rows.push(r#"["M",3,"0x200000",4096,{"hex":"ff3c62"},"rw-",1,"0x0",0]"#.to_string());
    let svg = draw(&rows);
    assert!(!svg.contains("<script"));
    assert!(!svg.contains(['\0', '\u{202e}']));
    let picture = elements(&svg);
    let text = seen(&picture);
    assert!(
        text.contains("</text><script>alert(\"1\")</script>&amp;\\x00"),
        "{text}"
    );
    assert!(text.contains("\\xff<b"), "{text}");
}

#[test]
fn an_address_space_without_regions_is_drawn_too() {
    let picture = elements(&draw(&[]));
    assert!(seen(&picture).contains("0 regions"));
    let only_root = elements(&draw(&root()));
    assert!(seen(&only_root).contains("1T free"));
}

#[test]
fn kernel_addresses_fit() {
    let rows = [
        r#"["A",0,"0xffffc00000000000",549755813888,"kernel"]"#.to_string(),
        mapping(1, 0xffff_c000_0000_0000, PAGE, "rw-"),
    ];
    let text = seen(&elements(&draw(&rows)));
    assert!(text.contains("0xffffc00000000000"));
}
