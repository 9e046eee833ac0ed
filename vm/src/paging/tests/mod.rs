//! The walker, with the simulated machine's format unless a test says otherwise.

use std::cell::RefCell;
use std::vec::Vec;

use syscall::Status;

use super::*;
use crate::addr::{PAGE_SIZE, PageCount, VirtAddr};
use crate::cpu::CpuId;
use crate::mmu::{Access, Domain, MemoryType, MmuCursor, PageSize, TlbBatch, Translation};
use crate::pages::OwnerKind;
use crate::sim::{self, SimFormat};

mod model;

const LARGE: usize = PageSize::Large.bytes();
const HUGE: usize = PageSize::Huge.bytes();
/// Somewhere in the middle of user space, at the beginning of a root entry.
const BASE: usize = 5 << 39;

fn pages_at(address: usize, count: usize) -> VirtRange {
    VirtRange::new(VirtAddr::new(address), PageCount::new(count)).expect("a valid range")
}

/// Memory that is only pointed to.
fn run(address: usize, count: usize) -> PhysRange {
    PhysRange::new(PhysAddr::new(address), PageCount::new(count)).expect("a valid range")
}

fn user(access: Access) -> MapFlags {
    MapFlags {
        access,
        memory: MemoryType::Cached,
        domain: Domain::User,
    }
}

fn writable() -> MapFlags {
    user(Access::READ | Access::WRITE)
}

fn database() -> &'static PageDatabase {
    sim::database(&[run(1 << 30, 2048)], || CpuId::BOOT)
}

fn whole() -> VirtRange {
    VirtRange::between(sim::USER_BASE, sim::USER_END).expect("a valid range")
}

fn tables_in(pages: &'static PageDatabase) -> PageTables<SimFormat> {
    PageTables::new(pages, whole(), TopLevel::Own, SimFormat).expect("there is memory")
}

fn tables() -> PageTables<SimFormat> {
    tables_in(database())
}

/// How many frames are tables.
fn table_frames<F: EntryFormat>(tables: &PageTables<F>) -> usize {
    let counts = tables
        .pages()
        .audit()
        .expect("the books agree with the frames");
    counts.owned_by(OwnerKind::PageTable).get()
}

fn map<F: EntryFormat>(
    tables: &PageTables<F>,
    range: VirtRange,
    to: usize,
    flags: MapFlags,
) -> Result<(), MapError> {
    tables
        .cursor(range)
        .map(run(to, range.pages().get()), flags)
}

fn query<F: EntryFormat>(tables: &PageTables<F>, address: usize) -> Option<Translation> {
    tables.cursor(pages_at(address, 1)).query()
}

/// The stale ranges, `None` for everything, and whether tables went.
type Told = (Option<Vec<VirtRange>>, bool);

/// Unmaps and answers what is stale.
fn unmap<F: EntryFormat>(tables: &PageTables<F>, range: VirtRange) -> Option<Told> {
    let mut batch = TlbBatch::new();
    tables.cursor(range).unmap(range.pages(), &mut batch);
    finish(tables, batch)
}

fn protect<F: EntryFormat>(
    tables: &PageTables<F>,
    range: VirtRange,
    access: Access,
) -> Option<Told> {
    let mut batch = TlbBatch::new();
    tables
        .cursor(range)
        .protect(range.pages(), access, &mut batch);
    finish(tables, batch)
}

fn finish<F: EntryFormat>(tables: &PageTables<F>, batch: TlbBatch) -> Option<Told> {
    let mut told = None;
    batch.finish(tables.pages(), |stale| {
        told = Some((stale.ranges.map(<[VirtRange]>::to_vec), stale.has_tables));
    });
    told
}

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

/// The simulated machine's format, but entries must be cleared and forgotten first. It notes what.
#[derive(Debug, Default)]
struct Strict {
    forgotten: spin::Mutex<Vec<VirtAddr>>,
}

impl EntryFormat for Strict {
    const BREAKS_BEFORE_MAKE: bool = true;

    fn leaf(address: PhysAddr, size: PageSize, flags: MapFlags) -> u64 {
        SimFormat::leaf(address, size, flags)
    }

    fn table(address: PhysAddr) -> u64 {
        SimFormat::table(address)
    }

    fn decode(entry: u64, level: Level) -> Entry {
        SimFormat::decode(entry, level)
    }

    fn supports(size: PageSize) -> bool {
        size != PageSize::Huge
    }

    fn publish() {
        PUBLISHED.with_borrow_mut(|count| *count += 1);
    }

    fn forget(&self, address: VirtAddr) {
        self.forgotten.lock().push(address);
    }
}

std::thread_local! {
    static PUBLISHED: RefCell<usize> = const { RefCell::new(0) };
}

fn strict() -> PageTables<Strict> {
    PageTables::new(database(), whole(), TopLevel::Own, Strict::default()).expect("there is memory")
}

#[test]
fn a_strict_processor_forgets_before_another_page_is_shown() {
    let tables = strict();
    assert_eq!(
        map(&tables, pages_at(BASE, 1), 0x9000, user(Access::READ)),
        Ok(())
    );
    let mut batch = TlbBatch::new();
    tables
        .cursor(pages_at(BASE, 1))
        .replace(PhysAddr::new(0x4000), writable(), &mut batch);
    assert_eq!(*tables.format().forgotten.lock(), [VirtAddr::new(BASE)]);
    assert!(batch.is_empty());
    // More access to the same page only makes the old translation stale.
    tables.cursor(pages_at(BASE, 1)).replace(
        PhysAddr::new(0x4000),
        user(Access::all()),
        &mut batch,
    );
    assert_eq!(tables.format().forgotten.lock().len(), 1);
    assert!(!batch.is_empty());
    assert!(finish(&tables, batch).is_some());
}

#[test]
fn sizes_that_the_processor_lacks_are_not_used() {
    let tables = strict();
    assert_eq!(
        map(&tables, pages_at(BASE, HUGE / PAGE_SIZE), HUGE, writable()),
        Ok(())
    );
    assert_eq!(
        query(&tables, BASE + HUGE - PAGE_SIZE).map(|found| found.size),
        Some(PageSize::Large)
    );
    assert_eq!(table_frames(&tables), 3);
}

#[test]
fn new_entries_are_published_once_per_cursor() {
    let tables = strict();
    assert_eq!(map(&tables, pages_at(BASE, 1), 0x9000, writable()), Ok(()));
    let count = || PUBLISHED.with_borrow(|count| *count);
    let before = count();
    let mut cursor = tables.cursor(pages_at(BASE, 16));
    for page in 1..16 {
        cursor.seek(VirtAddr::new(BASE + page * PAGE_SIZE));
        assert_eq!(cursor.map(run(0x9000, 1), writable()), Ok(()));
    }
    assert_eq!(count(), before);
    drop(cursor);
    assert_eq!(count(), before + 1);
    drop(tables.cursor(pages_at(BASE, 1)));
    assert_eq!(count(), before + 1);
}

#[test]
fn shared_tables_show_up_in_all_and_stay() {
    let pages = database();
    let kernel_range = pages_at(BASE, 1024);
    let kernel = PageTables::new(pages, kernel_range, TopLevel::Shared, SimFormat);
    let kernel: &'static _ =
        std::boxed::Box::leak(std::boxed::Box::new(kernel.expect("there is memory")));
    assert_eq!(kernel.fill_top(kernel_range), Ok(()));
    let user_range = pages_at(0x20_0000, 1024);
    let tables =
        PageTables::new(pages, user_range, TopLevel::Own, SimFormat).expect("there is memory");
    tables.link_top(kernel, kernel_range);
    // What is mapped later, and unmapped again, needs no more links.
    for _ in 0..2 {
        assert_eq!(
            map(kernel, pages_at(BASE + PAGE_SIZE, 1), 0x9000, writable()),
            Ok(())
        );
        let entry = tables
            .root_table()
            .get(Level::ROOT.index(VirtAddr::new(BASE)));
        assert_eq!(
            entry,
            kernel
                .root_table()
                .get(Level::ROOT.index(VirtAddr::new(BASE)))
        );
        assert_ne!(entry, 0);
        assert!(unmap(kernel, kernel_range).is_some());
        assert_eq!(table_frames(kernel), 3);
    }
    drop(tables);
    assert_eq!(table_frames(kernel), 2);
}

#[test]
#[should_panic(expected = "cannot be shared")]
fn tables_that_may_go_are_not_linked_to() {
    let pages = database();
    let other: &'static _ = std::boxed::Box::leak(std::boxed::Box::new(tables_in(pages)));
    tables_in(pages).link_top(other, pages_at(BASE, 1));
}
