//! What pictures show, and what they say to those who cannot see them.

mod common;

use common::*;

/// A parent and a snapshot of it that wrote its second page.
fn pair() -> Vec<String> {
    vec![
        vmo(1040, None, 4, 0),
        pages(0, 1, &[1040, 1041]),
        pages(1, 1, &[1040]),
        vmo(1041, Some(1040), 4, 0),
        pages(0, 1, &[1040, 1041]),
        pages(1, 1, &[1041]),
        mapping(1041),
    ]
}

#[test]
fn a_square_has_the_colour_of_who_sees_it_and_is_split_if_several_do() {
    let picture = elements(&draw(&pair()));
    // Both have four squares; the first is half and half, the second its owner's, two are hollow.
    assert_eq!(cells(&picture, "vt-absent").len(), 8);
    let parents = cells(&picture, "vt-colour0");
    let childs = cells(&picture, "vt-colour1");
    let widths = |cells: &[&Element]| -> Vec<f64> {
        cells.iter().map(|cell| cell.number("width")).collect()
    };
    assert_eq!(widths(&parents), [12.0, 24.0, 12.0]);
    assert_eq!(widths(&childs), [12.0, 12.0, 24.0]);
    assert_eq!(parents[0].number("y"), childs[0].number("y"));
    assert_eq!(parents[0].number("x") + 12.0, childs[0].number("x"));
    assert_eq!(cells(&picture, "vt-edge").len(), 4);
}

#[test]
fn the_same_page_of_all_members_stands_in_the_same_column() {
    let rows = [
        vmo(1040, None, 8, 0),
        pages(3, 1, &[1040, 1041]),
        vmo(1041, Some(1040), 2, 2),
        pages(1, 1, &[1040, 1041]),
    ];
    let picture = elements(&draw(&rows));
    let cells = cells(&picture, "vt-colour0");
    assert_eq!(cells.len(), 2);
    assert_eq!(cells[0].number("x"), cells[1].number("x"));
    assert_ne!(cells[0].number("y"), cells[1].number("y"));
}

#[test]
fn a_slice_shows_the_colours_of_the_owner_in_a_window() {
    let rows = [
        vmo(1040, None, 8, 4),
        pages(2, 3, &[1040]),
        slice(1041, 1040, 4, 4),
        vmo(1042, Some(1040), 8, 4),
        pages(7, 1, &[1042]),
    ];
    let picture = elements(&draw(&rows));
    assert_eq!(cells(&picture, "vt-window").len(), 4);
    // Three of the owner and the two of them that are in the slice.
    assert_eq!(cells(&picture, "vt-colour0").len(), 5);
    // Who has no pages takes no colour.
    assert_eq!(cells(&picture, "vt-colour1").len(), 1);
    assert!(seen(&picture).contains("slice of 4 pages of 1040"));
}

#[test]
fn a_long_run_is_cut_and_says_how_much_it_is() {
    let rows = [
        vmo(1040, None, 2000, 0),
        pages(0, 1000, &[1040]),
        pages(1500, 1, &[1040]),
    ];
    let picture = elements(&draw(&rows));
    let text = seen(&picture);
    let cuts: Vec<_> = text
        .lines()
        .filter(|line| line.ends_with(" more"))
        .collect();
    // The run, the hole behind it, and what follows the single page; all of them have squares first.
    assert_eq!(cuts, ["992 more", "492 more", "491 more"]);
    let titles = titles(&picture);
    assert!(titles.contains(&"pages 0 to 999 (1000): seen by ‘vmo1040’ (koid 1040) alone"));
    assert!(titles.contains(&"page 1500: seen by ‘vmo1040’ (koid 1040) alone"));
    assert!(titles.contains(&"pages 1000 to 1499 (500): absent, read as zero"));
}

#[test]
fn the_largest_vmo_of_all_fits() {
    let most = (1 << 52) - 64;
    let rows = [vmo(1040, None, most, 0), pages(most - 1, 1, &[1040])];
    let picture = elements(&draw(&rows));
    assert!(seen(&picture).contains("15.9E more"), "{}", seen(&picture));
    let width = picture[0].number("width");
    for cell in cells(&picture, "vt-absent") {
        assert!(cell.number("x") + cell.number("width") < width);
    }
}

#[test]
fn more_runs_than_columns_stand_together_and_are_counted() {
    let mut rows = vec![vmo(1040, None, 2000, 0)];
    rows.extend((0..1000).map(|run| pages(2 * run, 1, &[1040])));
    let picture = elements(&draw(&rows));
    let cells_of_member = cells(&picture, "vt-absent");
    assert!(cells_of_member.len() <= 48, "{}", cells_of_member.len());
    let filled: f64 = cells(&picture, "vt-colour0")
        .iter()
        .map(|cell| cell.number("width"))
        .sum();
    let all: f64 = cells_of_member
        .iter()
        .map(|cell| cell.number("width"))
        .sum();
    assert!((filled / all - 0.5).abs() < 0.01, "{filled} of {all}");
    let counted = titles(&picture)
        .iter()
        .filter_map(|title| {
            title
                .split_once(": ")?
                .1
                .split_once(" seen by it alone, 0 shared, ")
        })
        .map(|(private, absent)| {
            let number = |text: &str| -> usize {
                text.trim_end_matches(" absent").parse().expect("a number")
            };
            number(private) + number(absent)
        })
        .sum::<usize>();
    assert!(counted >= 1990, "{counted} pages are told of");
}

#[test]
fn parents_stand_above_their_children_with_a_branch_to_each() {
    // As the kernel may tell it: the youngest child first.
    let rows = [
        vmo(1040, None, 1, 0),
        vmo(1043, Some(1040), 1, 0),
        vmo(1041, Some(1040), 1, 0),
        vmo(1042, Some(1041), 1, 0),
    ];
    let picture = elements(&draw(&rows));
    let mut names = of_class(&picture, "vt-asked");
    names.extend(of_class(&picture, "vt-name"));
    let texts: Vec<_> = names.iter().map(|name| &*name.text).collect();
    assert_eq!(
        texts,
        [
            "1040 vmo1040",
            "1041 vmo1041",
            "1042 vmo1042",
            "1043 vmo1043"
        ]
    );
    let left: Vec<_> = names.iter().map(|name| name.number("x")).collect();
    assert!(left[0] < left[1] && left[1] < left[2] && left[1] == left[3]);
    assert_eq!(of_class(&picture, "vt-branch").len(), 3);
}

#[test]
fn members_beyond_the_rows_are_counted_and_the_one_asked_for_is_there() {
    let mut rows: Vec<_> = (0..99).map(|place| vmo(941 + place, None, 1, 0)).collect();
    rows.push(vmo(1040, None, 1, 0));
    let svg = vmo_tree::draw(document(&rows).as_bytes(), 10).expect("a good document");
    let picture = elements(&svg);
    let text = seen(&picture);
    assert!(text.contains("… and 90 members more."), "{text}");
    assert_eq!(of_class(&picture, "vt-name").len(), 9);
    assert_eq!(of_class(&picture, "vt-asked")[0].text, "1040 vmo1040");
}

#[test]
fn sharers_that_are_not_told_are_grey() {
    let rows = [
        vmo(1040, None, 1, 0),
        r#"["P",0,1,4,[1040,1041]]"#.to_string(),
        vmo(1041, Some(1040), 1, 0),
    ];
    let picture = elements(&draw(&rows));
    let grey = cells(&picture, "vt-others");
    assert_eq!(grey.len(), 1);
    assert_eq!(grey[0].number("width"), 12.0);
    let title = "page 0: shared by ‘vmo1040’ (koid 1040), ‘vmo1041’ (koid 1041), others";
    assert!(titles(&picture).contains(&title));
}

#[test]
fn the_text_alternative_says_what_the_picture_shows() {
    let picture = elements(&draw(&pair()));
    let svg = &picture[0];
    assert_eq!(svg.attribute("role"), "img");
    let labels: Vec<_> = svg.attribute("aria-labelledby").split(' ').collect();
    let labelled: Vec<_> = picture
        .iter()
        .filter(|element| labels.contains(&element.attribute("id")))
        .collect();
    assert_eq!(labelled[0].text, "Family of VMO ‘vmo1040’ (koid 1040)");
    for part in [
        "2 members",
        "1 mapping of this one;",
        "8k private",
        "x86_64",
        "child of 1040",
    ] {
        assert!(labelled[1].text.contains(part), "{}", labelled[1].text);
    }
    let titles = titles(&picture);
    let shared = "page 0: shared by ‘vmo1040’ (koid 1040), ‘vmo1041’ (koid 1041)";
    assert_eq!(titles.iter().filter(|title| **title == shared).count(), 2);
}

#[test]
fn names_are_escaped_wherever_they_stand() {
    let evil = r#"</text><script>alert(\"1\")</script>&amp;\u0000\u202e"#;
    let rows = [
        vmo(1040, None, 1, 0).replace("vmo1040", evil),
        pages(0, 1, &[1040]),
        vmo(1041, None, 1, 0).replace("\"vmo1041\"", r#"{"hex":"ff3c62"}"#),
    ];
    let svg = draw(&rows);
    assert!(!svg.contains("<script"));
    assert!(!svg.contains(['\0', '\u{202e}']));
    let text = seen(&elements(&svg));
    assert!(text.contains("</text><script>"), "{text}");
    assert!(text.contains("\\xff<b"), "{text}");
}

#[test]
fn a_vmo_without_pages_and_a_family_without_members_are_drawn_too() {
    assert!(seen(&elements(&draw(&[]))).contains("0 members"));
    let picture = elements(&draw(&[vmo(1040, None, 0, 0)]));
    assert!(cells(&picture, "vt-absent").is_empty());
    assert!(seen(&picture).contains("anonymous of 0 pages"));
}
