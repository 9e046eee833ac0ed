//! What depends on the format, and tables that several page tables share.

use std::boxed::Box;

use super::*;

/// The simulated machine's format, but entries must be cleared and forgotten first. It notes what.
#[derive(Debug, Default)]
struct Strict {
    forgotten: spin::Mutex<Vec<VirtAddr>>,
}

impl EntryFormat for Strict {
    const BREAKS_BEFORE_MAKE: bool = true;

    fn leaf(address: PhysAddr, size: PageSize, flags: MapFlags) -> u64 {
        if flags.access.contains(Access::EXECUTE) {
            EXECUTABLE.with_borrow_mut(|pages| pages.push(address));
        }
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

    fn counters() -> &'static Counters {
        SimFormat::counters()
    }

    fn name_bits(entry: u64, level: Level, name: &mut dyn FnMut(&'static str)) {
        SimFormat::name_bits(entry, level, name);
    }
}

std::thread_local! {
    static PUBLISHED: RefCell<usize> = const { RefCell::new(0) };
    /// The pages for which an entry was made that allows to execute.
    static EXECUTABLE: RefCell<Vec<PhysAddr>> = const { RefCell::new(Vec::new()) };
}

fn strict() -> PageTables<Strict> {
    PageTables::new(database(), whole(), TopLevel::Own, Strict::default()).expect("there is memory")
}

#[test]
fn the_format_sees_each_page_that_becomes_executable() {
    let tables = strict();
    assert_eq!(map(&tables, pages_at(BASE, 3), 0x9000, writable()), Ok(()));
    EXECUTABLE.with_borrow_mut(Vec::clear);
    let mut batch = TlbBatch::new();
    let access = Access::READ | Access::EXECUTE;
    tables
        .cursor(pages_at(BASE, 3))
        .protect(PageCount::new(3), access, &mut batch);
    assert!(finish(&tables, batch).is_some());
    assert_eq!(
        EXECUTABLE.take(),
        [0x9000, 0xa000, 0xb000].map(PhysAddr::new)
    );
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
    let kernel: &'static _ = Box::leak(Box::new(kernel.expect("there is memory")));
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
    let other: &'static _ = Box::leak(Box::new(tables_in(pages)));
    tables_in(pages).link_top(other, pages_at(BASE, 1));
}
