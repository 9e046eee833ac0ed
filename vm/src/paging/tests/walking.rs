//! What a walk shows, and how many tables are counted.

use super::*;

/// An address with a different index on each level.
const ADDRESS: usize = BASE | 7 << 30 | 11 << 21 | 13 << 12;

#[test]
fn a_walk_shows_every_table_on_the_way() {
    let tables = tables();
    assert_eq!(
        map(&tables, pages_at(ADDRESS, 1), 0x9000, writable()),
        Ok(())
    );
    let path = tables.walk(VirtAddr::new(ADDRESS + 0x123));
    let indices: Vec<_> = path.iter().map(|step| step.index).collect();
    assert_eq!(indices, [5, 7, 11, 13]);
    let levels: Vec<_> = path.iter().map(|step| step.level.number()).collect();
    assert_eq!(levels, [3, 2, 1, 0]);
    assert_eq!(path[0].table, tables.root());
    for (upper, lower) in path.iter().zip(&path[1..]) {
        assert_eq!(upper.entry, Entry::Table(lower.table));
        assert_eq!(SimFormat::decode(upper.raw, upper.level), upper.entry);
    }
    let expected = SimFormat::leaf(PhysAddr::new(0x9000), PageSize::Base, writable());
    assert_eq!(path[3].raw, expected);
}

#[test]
fn a_walk_ends_where_nothing_is_or_where_a_large_page_is() {
    let tables = tables();
    assert_eq!(tables.walk(VirtAddr::new(ADDRESS)).len(), 1);
    assert_eq!(tables.walk(VirtAddr::new(ADDRESS))[0].entry, Entry::Empty);
    let large = pages_at(BASE, LARGE / PAGE_SIZE);
    assert_eq!(map(&tables, large, 4 * LARGE, writable()), Ok(()));
    let path = tables.walk(VirtAddr::new(BASE + 0x5000));
    assert_eq!(path.len(), 3);
    let Some(Entry::Leaf(leaf)) = path.last().map(|step| step.entry) else {
        panic!("{path:?} ends in no page");
    };
    assert_eq!(
        (leaf.size, leaf.address),
        (PageSize::Large, PhysAddr::new(4 * LARGE))
    );
}

#[test]
fn the_bits_that_choose_entries_meet_and_end_above_the_page() {
    let bits: Vec<_> = {
        let tables = tables();
        assert_eq!(
            map(&tables, pages_at(ADDRESS, 1), 0x9000, writable()),
            Ok(())
        );
        let path = tables.walk(VirtAddr::new(ADDRESS));
        path.iter().map(|step| step.level.bits()).collect()
    };
    assert_eq!(bits, [(47, 39), (38, 30), (29, 21), (20, 12)]);
}

#[test]
fn tables_that_are_made_are_counted_and_freed_ones_too() {
    let before = Totals::from(SimFormat::counters());
    let count = |event| Totals::from(SimFormat::counters()).since(&before).of(event);
    let tables = tables();
    assert_eq!(
        map(&tables, pages_at(ADDRESS, 1), 0x9000, writable()),
        Ok(())
    );
    assert_eq!(count(Event::TableMade), 4);
    assert_eq!(map(&tables, pages_at(BASE, 1), 0x9000, writable()), Ok(()));
    assert_eq!(count(Event::TableMade), 6);
    let _ = unmap(&tables, pages_at(BASE, 1));
    assert_eq!(count(Event::TableFreed), 2);
    drop(tables);
    assert_eq!(count(Event::TableFreed), count(Event::TableMade));
}
