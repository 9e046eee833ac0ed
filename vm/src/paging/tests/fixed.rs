//! Mappings for good whose pages are split and change their memory type.

use super::*;

/// A huge page, for good.
fn with_huge_page() -> PageTables<SimFormat> {
    let tables = tables();
    let range = pages_at(BASE, HUGE / PAGE_SIZE);
    let mapped = tables.map_fixed(range, PhysAddr::new(HUGE), writable());
    assert_eq!(mapped, Ok(()));
    tables
}

/// How `address` is translated; addresses in the huge page go on by 1 GiB.
#[track_caller]
fn assert_shown(tables: &PageTables<SimFormat>, address: usize, size: PageSize) {
    let found = query(tables, address).expect("it is mapped");
    assert_eq!(found.address, PhysAddr::new(HUGE + address - BASE));
    assert_eq!((found.flags, found.size), (writable(), size));
}

#[test]
fn base_pages_translate_to_the_same_after_a_split() {
    let tables = with_huge_page();
    let split = pages_at(BASE + 5 * LARGE - PAGE_SIZE, 2);
    assert_eq!(tables.split_fixed(split), Ok(()));
    // Two large pages are split, and the rest of the huge page into large ones.
    for (address, size) in [
        (BASE, PageSize::Large),
        (BASE + 4 * LARGE - PAGE_SIZE, PageSize::Large),
        (BASE + 4 * LARGE, PageSize::Base),
        (BASE + 6 * LARGE - PAGE_SIZE, PageSize::Base),
        (BASE + 6 * LARGE, PageSize::Large),
        (BASE + HUGE - PAGE_SIZE, PageSize::Large),
    ] {
        assert_shown(&tables, address, size);
    }
    let tables_before = table_frames(&tables);
    assert_eq!(tables_before, 2 + 3);
    assert_eq!(tables.split_fixed(split), Ok(()));
    assert_eq!(table_frames(&tables), tables_before);
    // Where nothing is mapped there is nothing to split.
    assert_eq!(tables.split_fixed(pages_at(BASE + HUGE, 1)), Ok(()));
    assert_eq!(table_frames(&tables), tables_before);
}

#[test]
fn a_split_without_frames_changes_no_translation() {
    let tables = with_huge_page();
    let split = pages_at(BASE + 5 * LARGE - PAGE_SIZE, 2);
    for successes in 0..3 {
        let plan = tables.pages().fail_after(0);
        assert_eq!(tables.split_fixed(split), Err(MapError::NoFrame));
        drop(plan);
        for address in [BASE, BASE + 5 * LARGE - PAGE_SIZE, BASE + 5 * LARGE] {
            let size = query(&tables, address).expect("it is mapped").size;
            assert_shown(&tables, address, size);
        }
        let plan = tables.pages().fail_after(1);
        let expected = if successes == 2 {
            Ok(())
        } else {
            Err(MapError::NoFrame)
        };
        assert_eq!(tables.split_fixed(split), expected);
        drop(plan);
    }
}

#[test]
fn pages_that_change_their_type_are_forgotten_in_between() {
    let tables = with_huge_page();
    let range = pages_at(BASE + LARGE - 70 * PAGE_SIZE, 100);
    assert_eq!(tables.split_fixed(range), Ok(()));
    let mut forgotten = Vec::new();
    tables.retype_fixed([range].into_iter(), MemoryType::WriteCombining, |batch| {
        let (Some(ranges), false) = finish(&tables, batch).expect("something is stale") else {
            panic!("too much is forgotten");
        };
        for page in ranges.iter().flat_map(|range| {
            let base = range.base().raw();
            (base..base + range.bytes()).step_by(PAGE_SIZE)
        }) {
            assert_eq!(query(&tables, page), None, "{page:#x} is still mapped");
            forgotten.push(page);
        }
    });
    let base = range.base().raw();
    let all: Vec<_> = (base..base + range.bytes()).step_by(PAGE_SIZE).collect();
    assert_eq!(forgotten, all);
    for page in all {
        let found = query(&tables, page).expect("mapped again");
        assert_eq!(found.address, PhysAddr::new(HUGE + page - BASE));
        let expected = MapFlags {
            memory: MemoryType::WriteCombining,
            ..writable()
        };
        assert_eq!(found.flags, expected);
    }
    assert_shown(&tables, base - PAGE_SIZE, PageSize::Base);
    assert_shown(&tables, base + range.bytes(), PageSize::Base);
}

#[test]
fn a_type_is_found_wherever_it_is_mapped() {
    let tables = with_huge_page();
    let cached = |range| tables.maps_any(range, MemoryType::Cached);
    assert!(cached(pages_at(BASE + HUGE - PAGE_SIZE, 1)));
    assert!(cached(pages_at(BASE - PAGE_SIZE, 2)));
    assert!(!cached(pages_at(BASE - PAGE_SIZE, 1)));
    assert!(!cached(pages_at(BASE + HUGE, HUGE)));
    let page = pages_at(BASE + LARGE, 1);
    assert_eq!(tables.split_fixed(page), Ok(()));
    tables.retype_fixed([page].into_iter(), MemoryType::Uncached, |batch| {
        assert!(finish(&tables, batch).is_some());
    });
    assert!(!cached(page));
    assert!(cached(pages_at(BASE + LARGE, 2)));
}

#[test]
fn mapping_with_base_pages_leaves_nothing_to_split() {
    let tables = tables();
    let range = pages_at(BASE, 2 * LARGE / PAGE_SIZE);
    let mapped = tables.map_fixed_base_pages(range, PhysAddr::new(HUGE), writable());
    assert_eq!(mapped, Ok(()));
    assert_shown(&tables, BASE, PageSize::Base);
    assert_shown(&tables, BASE + 2 * LARGE - PAGE_SIZE, PageSize::Base);
    let before = table_frames(&tables);
    assert_eq!(tables.split_fixed(range), Ok(()));
    assert_eq!(table_frames(&tables), before);
}

#[test]
fn pages_here_and_there_share_a_flush() {
    let tables = with_huge_page();
    assert_eq!(tables.split_fixed(pages_at(BASE, 512)), Ok(()));
    let every_other = || (0..128).map(|number| pages_at(BASE + 2 * number * PAGE_SIZE, 1));
    let mut flushes = 0;
    tables.retype_fixed(every_other(), MemoryType::Uncached, |batch| {
        assert_eq!(finish(&tables, batch), Some((None, false)));
        flushes += 1;
    });
    assert_eq!(flushes, 2);
    for page in every_other() {
        let now = query(&tables, page.base().raw()).expect("mapped again");
        assert_eq!(now.flags.memory, MemoryType::Uncached);
        assert_shown(&tables, page.end().raw(), PageSize::Base);
    }
}
