//! Unmapping, protecting and replacing, and what becomes stale.

use super::*;

#[test]
#[should_panic(expected = "is fixed")]
fn a_fixed_page_of_the_kernel_is_not_cut() {
    let tables = tables();
    let kernel = MapFlags {
        domain: Domain::Kernel,
        ..writable()
    };
    assert_eq!(
        tables.map_fixed(pages_at(BASE, 512), PhysAddr::new(0), kernel),
        Ok(())
    );
    unmap(&tables, pages_at(BASE, 1));
}

#[test]
fn a_large_page_goes_as_a_whole_when_a_part_is_unmapped_or_protected() {
    for access in [None, Some(Access::READ)] {
        let tables = tables();
        assert_eq!(map(&tables, pages_at(BASE, 1024), HUGE, writable()), Ok(()));
        let part = pages_at(BASE + 5 * PAGE_SIZE, 2);
        let told = match access {
            None => unmap(&tables, part),
            Some(access) => protect(&tables, part, access),
        };
        assert_eq!(told, Some((Some([pages_at(BASE, 512)].to_vec()), false)));
        assert_eq!(query(&tables, BASE), None);
        assert!(query(&tables, BASE + LARGE).is_some());
    }
}

#[test]
fn a_whole_large_page_is_protected_in_place() {
    let tables = tables();
    assert_eq!(map(&tables, pages_at(BASE, 512), HUGE, writable()), Ok(()));
    assert!(protect(&tables, pages_at(BASE, 512), Access::READ).is_some());
    let found = query(&tables, BASE + PAGE_SIZE).expect("it is still mapped");
    assert_eq!(
        (found.size, found.flags),
        (PageSize::Large, user(Access::READ))
    );
}

#[test]
fn empty_tables_are_freed_at_once() {
    let tables = tables();
    let far_apart = [BASE, BASE + LARGE, BASE + HUGE, 2 * BASE];
    for at in far_apart {
        assert_eq!(map(&tables, pages_at(at, 1), 0x9000, writable()), Ok(()));
    }
    assert_eq!(table_frames(&tables), 1 + 2 + 3 + 4);
    for (at, left) in far_apart.into_iter().zip([9, 7, 4, 1]) {
        let told = unmap(&tables, pages_at(at, 1));
        assert_eq!(told, Some((Some([pages_at(at, 1)].to_vec()), true)));
        assert_eq!(table_frames(&tables), left);
    }
}

#[test]
fn nothing_is_stale_where_nothing_changed() {
    let tables = tables();
    assert_eq!(unmap(&tables, whole()), None);
    assert_eq!(
        map(&tables, pages_at(BASE, 4), 0x9000, user(Access::READ)),
        Ok(())
    );
    assert_eq!(
        protect(&tables, pages_at(BASE - LARGE, 2048), Access::READ),
        None
    );
    assert_eq!(
        protect(&tables, pages_at(BASE, 4), Access::READ | Access::WRITE),
        None
    );
}

#[test]
fn only_what_changed_is_stale() {
    let tables = tables();
    assert_eq!(
        map(
            &tables,
            pages_at(BASE + LARGE - 2 * PAGE_SIZE, 4),
            0x9000,
            writable()
        ),
        Ok(())
    );
    let told = protect(&tables, pages_at(BASE, 1024), Access::READ);
    assert_eq!(
        told,
        Some((
            Some([pages_at(BASE + LARGE - 2 * PAGE_SIZE, 4)].to_vec()),
            false
        ))
    );
}

#[test]
fn too_many_ranges_are_everything() {
    let tables = tables();
    let mut batch = TlbBatch::new();
    for index in 0..7 {
        let page = pages_at(BASE + 2 * index * PAGE_SIZE, 1);
        assert_eq!(map(&tables, page, 0x9000, writable()), Ok(()));
        tables.cursor(page).unmap(PageCount::new(1), &mut batch);
    }
    assert_eq!(finish(&tables, batch), Some((None, true)));
}

#[test]
fn protecting_never_makes_a_page_writable() {
    let tables = tables();
    assert_eq!(
        map(&tables, pages_at(BASE, 1), 0x9000, user(Access::READ)),
        Ok(())
    );
    assert_eq!(
        map(&tables, pages_at(BASE + PAGE_SIZE, 1), 0x9000, writable()),
        Ok(())
    );
    let all = Access::all();
    assert!(protect(&tables, pages_at(BASE, 3), all).is_some());
    let access = |at| query(&tables, at).map(|found| found.flags.access);
    assert_eq!(access(BASE), Some(Access::READ | Access::EXECUTE));
    assert_eq!(access(BASE + PAGE_SIZE), Some(all));
    assert_eq!(access(BASE + 2 * PAGE_SIZE), None);
}

#[test]
fn no_access_is_no_translation() {
    let tables = tables();
    assert_eq!(map(&tables, pages_at(BASE, 3), 0x9000, writable()), Ok(()));
    assert_eq!(
        protect(&tables, pages_at(BASE, 3), Access::empty()),
        Some((Some([pages_at(BASE, 3)].to_vec()), true))
    );
    assert_eq!(query(&tables, BASE), None);
    assert_eq!(table_frames(&tables), 1);
}

#[test]
fn replacing_shows_another_page() {
    let tables = tables();
    assert_eq!(
        map(&tables, pages_at(BASE, 2), 0x9000, user(Access::READ)),
        Ok(())
    );
    let mut batch = TlbBatch::new();
    let mut cursor = tables.cursor(pages_at(BASE, 2));
    cursor.replace(PhysAddr::new(0x4000), writable(), &mut batch);
    assert_eq!(cursor.position(), VirtAddr::new(BASE + PAGE_SIZE));
    drop(cursor);
    assert_eq!(
        finish(&tables, batch),
        Some((Some([pages_at(BASE, 1)].to_vec()), false))
    );
    let found = query(&tables, BASE).expect("it is mapped");
    assert_eq!(
        (found.address, found.flags),
        (PhysAddr::new(0x4000), writable())
    );
    assert_eq!(
        query(&tables, BASE + PAGE_SIZE).map(|found| found.address),
        Some(PhysAddr::new(0xa000))
    );
}

#[test]
#[should_panic(expected = "a page that is replaced is mapped")]
fn an_absent_page_is_not_replaced() {
    let tables = tables();
    assert_eq!(map(&tables, pages_at(BASE, 1), 0x9000, writable()), Ok(()));
    let mut batch = TlbBatch::new();
    tables.cursor(pages_at(BASE + PAGE_SIZE, 1)).replace(
        PhysAddr::new(0x4000),
        writable(),
        &mut batch,
    );
}

#[test]
fn a_place_for_a_large_page_is_cleared_with_its_table_but_not_those_above() {
    let tables = tables();
    for size in [PageSize::Base, PageSize::Large] {
        let pages = if size == PageSize::Large { 512 } else { 3 };
        assert_eq!(
            map(&tables, pages_at(BASE, pages), HUGE, writable()),
            Ok(())
        );
        let mut batch = TlbBatch::new();
        let mut cursor = tables.cursor(pages_at(BASE, 512));
        cursor.seek(VirtAddr::new(BASE + 7 * PAGE_SIZE));
        cursor.clear_large(&mut batch);
        assert_eq!(cursor.position(), VirtAddr::new(BASE));
        drop(cursor);
        let told = finish(&tables, batch);
        let has_tables = size == PageSize::Base;
        assert_eq!(
            told,
            Some((Some([pages_at(BASE, 512)].to_vec()), has_tables))
        );
        assert_eq!((query(&tables, BASE), table_frames(&tables)), (None, 3));
        // What is there suffices.
        let guard = tables.pages().fail_after(0);
        assert_eq!(map(&tables, pages_at(BASE, 512), HUGE, writable()), Ok(()));
        drop(guard);
        assert!(unmap(&tables, pages_at(BASE, 512)).is_some());
        assert_eq!(table_frames(&tables), 1);
    }
}

#[test]
fn tables_that_were_left_empty_are_forgotten_with_everything() {
    let tables = tables();
    assert_eq!(map(&tables, pages_at(BASE, 512), HUGE, writable()), Ok(()));
    let mut batch = TlbBatch::new();
    tables.cursor(pages_at(BASE, 512)).clear_large(&mut batch);
    assert!(finish(&tables, batch).is_some());
    assert_eq!(table_frames(&tables), 3);
    // Nothing was mapped there after all. No address says which remembered tables are stale.
    let mut batch = TlbBatch::new();
    tables
        .cursor(pages_at(BASE, 512))
        .unmap(PageCount::new(512), &mut batch);
    assert_eq!(finish(&tables, batch), Some((None, true)));
    assert_eq!(table_frames(&tables), 1);
}

#[test]
fn one_invalidation_is_asked_for_per_large_page() {
    let tables = tables();
    assert_eq!(map(&tables, pages_at(BASE, 1025), HUGE, writable()), Ok(()));
    let mut batch = TlbBatch::new();
    tables
        .cursor(pages_at(BASE, 1025))
        .unmap(PageCount::new(1025), &mut batch);
    let mut told = Vec::new();
    batch.finish(tables.pages(), |stale| {
        let ranges = stale.ranges.expect("they are few");
        told.extend(ranges.iter().map(|stale| (stale.size, stale.count())));
    });
    assert_eq!(told, [(PageSize::Large, 2), (PageSize::Base, 1)]);
}
