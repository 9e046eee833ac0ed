//! Mapping, and what is left of it when it fails.

use super::*;

#[test]
fn a_page_is_found_where_it_was_mapped_and_nowhere_else() {
    let tables = tables();
    assert_eq!(
        map(&tables, pages_at(BASE + LARGE, 1), 0x5000, writable()),
        Ok(())
    );
    let expected = Translation {
        address: PhysAddr::new(0x5000),
        flags: writable(),
        size: PageSize::Base,
    };
    assert_eq!(query(&tables, BASE + LARGE), Some(expected));
    for elsewhere in [
        BASE,
        BASE + LARGE - PAGE_SIZE,
        BASE + LARGE + PAGE_SIZE,
        BASE + HUGE,
        2 * BASE,
    ] {
        assert_eq!(query(&tables, elsewhere), None);
    }
}

#[test]
fn every_flag_survives() {
    let tables = tables();
    let memories = [
        MemoryType::Cached,
        MemoryType::Uncached,
        MemoryType::UncachedDevice,
        MemoryType::WriteCombining,
    ];
    for (index, memory) in memories.into_iter().enumerate() {
        for bits in 1..8 {
            let flags = MapFlags {
                access: Access::from_bits_retain(bits),
                memory,
                domain: Domain::User,
            };
            let at = BASE + (index * 8 + usize::from(bits)) * PAGE_SIZE;
            assert_eq!(map(&tables, pages_at(at, 1), 0x7000, flags), Ok(()));
            assert_eq!(query(&tables, at).map(|found| found.flags), Some(flags));
        }
    }
}

#[test]
fn a_program_gets_the_largest_pages_that_fit() {
    let tables = tables();
    // One page before a huge page, the huge page, a large page after it, and one page more.
    let range = pages_at(BASE + HUGE - PAGE_SIZE, 1 + (HUGE + LARGE) / PAGE_SIZE + 1);
    assert_eq!(
        map(&tables, range, 7 * HUGE - PAGE_SIZE, writable()),
        Ok(())
    );
    let size = |at| query(&tables, at).map(|found| (found.size, found.address.raw()));
    assert_eq!(
        size(BASE + HUGE - PAGE_SIZE),
        Some((PageSize::Base, 7 * HUGE - PAGE_SIZE))
    );
    assert_eq!(
        size(BASE + HUGE + 3 * PAGE_SIZE),
        Some((PageSize::Huge, 7 * HUGE + 3 * PAGE_SIZE))
    );
    assert_eq!(
        size(BASE + 2 * HUGE + LARGE - PAGE_SIZE),
        Some((PageSize::Large, 8 * HUGE + LARGE - PAGE_SIZE))
    );
    assert_eq!(
        size(BASE + 2 * HUGE + LARGE),
        Some((PageSize::Base, 8 * HUGE + LARGE))
    );
    assert_eq!(size(BASE + 2 * HUGE + LARGE + PAGE_SIZE), None);
    // The root, a level 2 table, and for each end a level 1 and a leaf table.
    assert_eq!(table_frames(&tables), 6);
}

#[test]
fn memory_that_is_not_aligned_alike_gets_base_pages() {
    let tables = tables();
    assert_eq!(
        map(&tables, pages_at(BASE, 512), LARGE + PAGE_SIZE, writable()),
        Ok(())
    );
    assert_eq!(
        query(&tables, BASE).map(|found| found.size),
        Some(PageSize::Base)
    );
}

#[test]
fn cursors_give_the_kernel_base_pages_and_fixed_maps_large_ones() {
    let tables = tables();
    let kernel = MapFlags {
        domain: Domain::Kernel,
        ..writable()
    };
    assert_eq!(map(&tables, pages_at(BASE, 512), LARGE, kernel), Ok(()));
    assert_eq!(
        query(&tables, BASE).map(|found| found.size),
        Some(PageSize::Base)
    );
    let fixed = pages_at(BASE + HUGE, HUGE / PAGE_SIZE);
    assert_eq!(tables.map_fixed(fixed, PhysAddr::new(0), kernel), Ok(()));
    assert_eq!(
        query(&tables, BASE + HUGE).map(|found| found.size),
        Some(PageSize::Huge)
    );
}

#[test]
fn tables_are_freed_with_their_owner() {
    let pages = database();
    let tables = tables_in(pages);
    assert_eq!(
        map(
            &tables,
            pages_at(BASE + LARGE - PAGE_SIZE, 2),
            0x9000,
            writable()
        ),
        Ok(())
    );
    assert!(table_frames(&tables) > 1);
    drop(tables);
    let counts = pages.audit().expect("the books agree with the frames");
    assert_eq!(counts.owned_by(OwnerKind::PageTable), PageCount::ZERO);
}

#[test]
fn what_is_mapped_stays_when_mapping_over_it_fails() {
    let tables = tables();
    assert_eq!(
        map(
            &tables,
            pages_at(BASE + 3 * PAGE_SIZE, 1),
            0x9000,
            writable()
        ),
        Ok(())
    );
    assert_eq!(
        map(&tables, pages_at(BASE + HUGE, 512), HUGE, writable()),
        Ok(())
    );
    let before = table_frames(&tables);
    for range in [
        pages_at(BASE, 4),
        pages_at(BASE - PAGE_SIZE, 512),
        pages_at(BASE, 512),
        pages_at(BASE, HUGE / PAGE_SIZE),
        pages_at(BASE + HUGE + 7 * PAGE_SIZE, 1),
        pages_at(BASE + HUGE - PAGE_SIZE, 2),
    ] {
        let mut cursor = tables.cursor(range);
        let to = run(4 * HUGE, range.pages().get());
        assert_eq!(cursor.map(to, writable()), Err(MapError::AlreadyMapped));
        assert_eq!(cursor.position(), range.base());
        drop(cursor);
        assert_eq!(table_frames(&tables), before);
        assert_eq!(query(&tables, BASE), None);
        assert_eq!(query(&tables, BASE - PAGE_SIZE), None);
        assert_eq!(query(&tables, BASE + HUGE - PAGE_SIZE), None);
    }
}

#[test]
fn without_frames_mapping_changes_nothing() {
    // From the middle of one root entry's area to the next one's: tables on all levels are missing.
    let range = pages_at(BASE - LARGE - PAGE_SIZE, 2 + 2 * LARGE / PAGE_SIZE);
    let mut successes = 0;
    loop {
        let tables = tables();
        let guard = tables.pages().fail_after(successes);
        let result = map(&tables, range, 4 * HUGE + LARGE - PAGE_SIZE, writable());
        drop(guard);
        if result.is_ok() {
            break;
        }
        assert_eq!(result, Err(MapError::NoFrame));
        assert_eq!(table_frames(&tables), 1);
        assert_eq!(unmap(&tables, whole()), None);
        successes += 1;
    }
    // Two tables of level 2, two of level 1, and leaf tables for the pages at both ends.
    assert_eq!(successes, 6);
}

#[test]
fn without_a_frame_there_are_no_tables() {
    let pages = database();
    let guard = pages.fail_after(0);
    let refused = PageTables::new(pages, whole(), TopLevel::Own, SimFormat).err();
    assert_eq!(refused, Some(Status::NO_MEMORY));
    drop(guard);
}

#[test]
fn a_cursor_moves_with_what_it_does() {
    let tables = tables();
    let mut cursor = tables.cursor(pages_at(BASE, 64));
    let mut batch = TlbBatch::new();
    for step in 0..3 {
        assert_eq!(
            cursor.map(run(0x9000 + step * PAGE_SIZE, 1), writable()),
            Ok(())
        );
    }
    assert_eq!(cursor.position(), VirtAddr::new(BASE + 3 * PAGE_SIZE));
    cursor.seek(VirtAddr::new(BASE + PAGE_SIZE));
    assert_eq!(
        cursor.query().map(|found| found.address),
        Some(PhysAddr::new(0xa000))
    );
    cursor.unmap(PageCount::new(1), &mut batch);
    assert_eq!(
        cursor.query().map(|found| found.address),
        Some(PhysAddr::new(0xb000))
    );
    cursor.protect(PageCount::new(62), Access::READ, &mut batch);
    assert_eq!(cursor.position(), VirtAddr::new(BASE + 64 * PAGE_SIZE));
    cursor.unmap(PageCount::ZERO, &mut batch);
    drop(cursor);
    assert!(finish(&tables, batch).is_some());
}

#[test]
#[should_panic(expected = "a cursor stays in its range")]
fn a_cursor_does_not_leave_its_range() {
    let tables = tables();
    let mut cursor = tables.cursor(pages_at(BASE, 2));
    let _ = cursor.map(run(0x9000, 3), writable());
}

#[test]
#[should_panic(expected = "is outside")]
fn a_cursor_is_for_the_range_of_the_tables() {
    drop(tables().cursor(pages_at(0x1000, 1)));
}
