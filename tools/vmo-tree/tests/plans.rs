//! Which pages get squares: every page of every member is in exactly one column, and there is room for all.

mod common;

use common::*;
use proptest::prelude::*;
use vmo_tree::document::Document;
use vmo_tree::family::{Family, Member};
use vmo_tree::mix::Mix;
use vmo_tree::plan::{Column, ColumnKind, ROOM, columns};

fn family(rows: &[String]) -> Family {
    let document = Document::parse(document(rows).as_bytes()).expect("a good document");
    Family::new(document).expect("rows that fit")
}

/// Checks the columns of all members.
fn check(family: &Family) -> Vec<Column> {
    let members: Vec<&Member> = family.members.iter().collect();
    let columns = columns(&members);
    let width: usize = columns.iter().map(Column::width).sum();
    assert!(width <= ROOM, "{width} squares");
    for pair in columns.windows(2) {
        assert!(pair[0].pages.end <= pair[1].pages.start);
    }
    for member in &members {
        let mixes = || {
            columns
                .iter()
                .map(|column| Mix::new(family, member, &column.pages))
        };
        let inside: u64 = mixes().map(|mix| mix.inside()).sum();
        assert_eq!(inside, member.row.pages, "of member {}", member.row.koid);
        let present: u64 = mixes().map(|mix| mix.private + mix.shared).sum();
        let told: u64 = member.runs.iter().map(|run| run.pages).sum();
        assert_eq!(present, told);
        let shares: f64 = mixes()
            .map(|mix| mix.others + mix.shares.iter().map(|(_, share)| share).sum::<f64>())
            .sum();
        assert!((shares - told as f64).abs() <= 1e-6 * (1.0 + told as f64));
        for column in columns
            .iter()
            .filter(|column| column.kind == ColumnKind::Cut)
        {
            let mix = Mix::new(family, member, &column.pages);
            let parts = [mix.private, mix.shared, mix.absent, mix.outside];
            let is_alike = parts.iter().filter(|part| **part > 0).count() == 1;
            assert!(is_alike, "a cut with {mix:?}");
        }
    }
    columns
}

#[test]
fn what_fits_is_not_cut_and_one_page_more_is() {
    let whole = check(&family(&[vmo(1040, None, 48, 0)]));
    assert_eq!(whole.len(), 48);
    assert!(whole.iter().all(|column| column.kind == ColumnKind::Page));
    let cut = check(&family(&[vmo(1040, None, 49, 0)]));
    assert_eq!(
        cut.last().map(|column| (column.kind, column.count())),
        Some((ColumnKind::Cut, 5))
    );
}

#[test]
fn pages_that_no_member_has_take_no_room() {
    let far = 1 << 40;
    let columns = check(&family(&[vmo(1040, None, 2, 0), vmo(1041, None, 2, far)]));
    let pages: Vec<u64> = columns.iter().map(|column| column.pages.start).collect();
    assert_eq!(pages, [0, 1, far, far + 1]);
}

/// A run as the gap before it, its length and the number of sharers.
type RunSteps = Vec<(u64, u64, usize)>;

/// Members, each as its position and its runs.
fn members() -> impl Strategy<Value = Vec<(u64, RunSteps)>> {
    let run = (0..4u64, 1..40u64, 1..4usize);
    prop::collection::vec((0..100u64, prop::collection::vec(run, 0..60)), 1..6)
}

proptest! {
    #[test]
    fn every_page_is_in_one_column_and_all_columns_have_room(members in members()) {
        let mut rows = Vec::new();
        for (number, (position, runs)) in members.iter().enumerate() {
            let koid = 1040 + number as u64;
            let mut at = 0;
            let mut below = Vec::new();
            for (gap, length, sharers) in runs {
                let koids: Vec<u64> = (0..*sharers as u64).map(|other| 1040 + other).collect();
                below.push(pages(at + gap, *length, &koids));
                at += gap + length;
            }
            rows.push(vmo(koid, (number > 0).then_some(koid - 1), at + 3, *position));
            rows.extend(below);
        }
        check(&family(&rows));
        elements(&draw(&rows));
    }
}
