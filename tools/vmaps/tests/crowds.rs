//! Address spaces with more regions than rows: every region is shown exactly once, alone or in a crowd.

mod common;

use std::rc::Rc;

use common::*;
use drawing::json::{Name, Process};
use proptest::prelude::*;
use vmaps::document::{Document, Kind, Mapping, Permissions, Row};
use vmaps::plan::{Item, Plan};
use vmaps::space::{Space, Sum};
use vmaps::strips::Strips;

fn row(depth: usize, base: u64, size: u64, kind: Kind) -> Row {
    let name = Name(Rc::from("x"));
    Row {
        depth,
        base,
        size,
        name,
        kind,
    }
}

fn data(index: usize) -> Kind {
    Kind::Mapping(Mapping {
        permissions: Permissions::from_index(index),
        vmo: 1,
        offset: 0,
        committed: PAGE,
    })
}

fn space(rows: Vec<Row>) -> Space {
    let process = Process {
        koid: Some(1),
        name: Name(Rc::from("crowd")),
    };
    Space::new(Document {
        architecture: "test".into(),
        process,
        rows,
    })
    .expect("good regions")
}

/// An address space with `families` regions that hold four mappings each.
fn families(families: usize) -> Space {
    const DISTANCE: u64 = 64 * PAGE;
    let mut rows = vec![row(0, BASE, 1 << 46, Kind::Space)];
    for family in 0..families as u64 {
        let base = BASE + family * DISTANCE;
        rows.push(row(1, base, 32 * PAGE, Kind::Vmar));
        for place in 0..4 {
            let kind = data([0, 4, 6, 6][place as usize]);
            rows.push(row(2, base + place * 4 * PAGE, 2 * PAGE, kind));
        }
    }
    space(rows)
}

/// The rows that are shown below items, in order, and how many items there are.
fn shown(items: &[Item], rows: &mut Vec<usize>) -> usize {
    let mut count = 0;
    for item in items {
        count += 1;
        match item {
            Item::Region { row, items } => {
                rows.push(*row);
                count += shown(items, rows);
            }
            Item::Mapping { row } => rows.push(*row),
            Item::Gap { .. } => {}
            Item::Crowd { rows: crowd, .. } => rows.extend(crowd.clone()),
        }
    }
    count
}

/// Checks that items fill `base` to `end` without a hole.
fn check_tiling(space: &Space, items: &[Item], mut base: u64, end: u64) {
    for item in items {
        let (first, last) = match item {
            Item::Region { row, items } => {
                let region = space.row(*row);
                check_tiling(space, items, region.base, region.end());
                (region.base, region.end())
            }
            Item::Mapping { row } => (space.row(*row).base, space.row(*row).end()),
            Item::Gap { base, size } => (*base, base + size),
            Item::Crowd { rows, siblings } => {
                assert_eq!(space.siblings(rows.clone()).count(), *siblings);
                let last = space
                    .siblings(rows.clone())
                    .last()
                    .expect("a crowd of some");
                (space.row(rows.start).base, space.row(last).end())
            }
        };
        assert_eq!(first, base, "{item:?}");
        base = last;
    }
    assert_eq!(base, end);
}

/// Checks a plan for `room` rows, and answers how many items it has.
fn check(space: &Space, room: usize) -> usize {
    let plan = Plan::new(space, room);
    let mut rows = Vec::new();
    let count = shown(&plan.items, &mut rows);
    assert!(
        rows.into_iter().eq(1..space.len()),
        "a region is missing, or there twice"
    );
    check_tiling(space, &plan.items, space.row(0).base, space.row(0).end());
    count
}

#[test]
fn a_million_regions_are_drawn_with_a_bounded_picture() {
    let space = families(200_000);
    assert_eq!(space.len(), 1_000_001);
    assert!(check(&space, vmaps::DEFAULT_ROWS) <= vmaps::DEFAULT_ROWS);
    let plan = Plan::new(&space, vmaps::DEFAULT_ROWS);
    let svg = vmaps::picture::draw(&space, &plan);
    assert!(svg.len() < 1 << 20, "{} bytes", svg.len());
    let picture = elements(&svg);
    assert!(picture[0].number("height") < 4_000.0);
    let text = seen(&picture);
    assert!(
        text.contains("999,990 regions, in 199,998 groups side by side"),
        "{text}"
    );
}

#[test]
fn strips_stand_for_all_regions_of_a_crowd_and_say_for_how_many() {
    let space = families(20_000);
    let rows = 1..space.len();
    let strips = Strips::new(&space, rows.clone(), 1);
    let mut sum = Sum::default();
    let all: Vec<&Sum> = strips.lines.iter().flat_map(|line| &line.strips).collect();
    for strip in &all {
        sum.regions += strip.regions;
        sum.mappings += strip.mappings;
    }
    assert_eq!((sum.regions, sum.mappings), (100_000, 80_000));
    let (last, others) = all.split_last().expect("strips");
    assert!(
        others
            .iter()
            .all(|strip| strip.regions == strips.shape.per_strip)
    );
    assert!(last.regions <= strips.shape.per_strip);
    assert_eq!(strips.lines.len(), strips.shape.lines);
}

#[test]
fn what_is_unlike_the_others_gets_a_row() {
    let mut rows = vec![row(0, BASE, 1 << 46, Kind::Space)];
    for place in 0..10_000 {
        let index = if place == 7_000 { 5 } else { 6 };
        rows.push(row(1, BASE + place * 2 * PAGE, PAGE, data(index)));
    }
    let space = space(rows);
    let plan = Plan::new(&space, 40);
    assert!(plan.items.contains(&Item::Mapping { row: 7_001 }));
    check(&space, 40);
}

#[test]
fn ten_thousand_regions_in_each_other_need_no_ten_thousand_boxes() {
    let mut rows = vec![row(0, BASE, 1 << 46, Kind::Space)];
    for depth in 1..10_000 {
        rows.push(row(
            depth,
            BASE,
            (1 << 46) - depth as u64 * PAGE,
            Kind::Vmar,
        ));
    }
    let space = space(rows);
    assert!(check(&space, 100) <= 100);
    assert!(check(&space, 1_000_000) <= 100);
}

#[test]
fn any_room_is_enough_and_more_of_it_shows_everything() {
    let space = families(50);
    for room in [0, 1, 5, 12, 30, 100, 200] {
        check(&space, room);
    }
    let plan = Plan::new(&space, 100_000);
    let is_crowd = |item: &Item| matches!(item, Item::Crowd { .. });
    assert!(!plan.items.iter().any(is_crowd));
}

/// Steps that make an address space: for each, whether a region is opened or closed or a mapping made, and
/// how far it is from what was before.
fn steps() -> impl Strategy<Value = Vec<(u8, u64, u64)>> {
    prop::collection::vec((0..4u8, 0..5u64, 1..9u64), 0..300)
}

fn space_of(steps: &[(u8, u64, u64)]) -> Space {
    let mut rows = vec![row(0, BASE, 1 << 46, Kind::Space)];
    // Where each region that is open ends, and where the next thing in it may be.
    let mut open = vec![(BASE + (1 << 46), BASE)];
    for (kind, gap, pages) in steps {
        let depth = open.len();
        let Some((end, free)) = open.last_mut() else {
            break;
        };
        let base = *free + gap * PAGE;
        let room = end.saturating_sub(base);
        let size = match kind {
            0 => room / 2 / PAGE * PAGE,
            _ => pages * PAGE,
        };
        if *kind == 1 || size == 0 || size > room {
            if depth > 1 {
                open.pop();
            }
            continue;
        }
        *free = base + size;
        if *kind == 0 {
            rows.push(row(depth, base, size, Kind::Vmar));
            open.push((base + size, base));
        } else {
            rows.push(row(depth, base, size, data(*pages as usize)));
        }
    }
    space(rows)
}

proptest! {
    #[test]
    fn every_region_is_shown_once_and_nothing_is_left_out(steps in steps(), room in 0usize..150) {
        let space = space_of(&steps);
        check(&space, room);
        let svg = vmaps::picture::draw(&space, &Plan::new(&space, room));
        elements(&svg);
    }
}
