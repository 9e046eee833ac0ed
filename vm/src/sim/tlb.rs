//! What one simulated processor remembers.
//!
//! Nothing is ever forgotten unless it is told to be, which no real processor can be relied on to do or not
//! to do. What is remembered carries the generation of the frame, so that a use after the frame changed
//! hands is noticed, and the size of the page, because a processor that finds a large page where it still
//! remembers base pages may do anything.

use std::collections::HashMap;

use crate::addr::{PAGE_SHIFT, PAGE_SIZE, PageCount, PhysAddr, VirtAddr, VirtRange};
use crate::mmu::{MapFlags, PageSize, Stale};
use crate::pages::PageDatabase;
use crate::paging::{Entry, EntryFormat, Level, Table};
use crate::sim::SimFormat;

/// How many pages before and after the one that was asked for are remembered along, if they are mapped.
const SPECULATION: usize = 4;

/// One address space.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Space {
    /// Never used again, unlike `root`.
    pub(super) id: u64,
    pub(super) root: PhysAddr,
}

/// The translation of one base page.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Remembered {
    pub(super) frame: PhysAddr,
    pub(super) flags: MapFlags,
    /// The size of the page that it is a part of.
    pub(super) size: PageSize,
    generation: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
struct RememberedTable {
    address: PhysAddr,
    generation: Option<u32>,
}

/// Translations and upper levels, by space and number.
#[derive(Debug, Default)]
pub(super) struct Tlb {
    pages: HashMap<(Space, usize), Remembered>,
    leaf_tables: HashMap<(Space, usize), RememberedTable>,
    places: HashMap<(Space, usize), Place>,
}

/// What is remembered where one large page would be.
#[derive(Clone, Copy, Debug)]
struct Place {
    size: PageSize,
    pages: usize,
}

impl Tlb {
    /// The translation of the page at `address`, remembered or found in the tables.
    ///
    /// # Panics
    /// If it is stale: the frame, or a table on the way, has changed hands since it was remembered. Or if
    /// pages of another size are still remembered in the same place. Or if the direct map shows the frame
    /// with another memory type.
    pub(super) fn translate(
        &mut self,
        memory: &'static PageDatabase,
        space: Space,
        address: VirtAddr,
    ) -> Option<Remembered> {
        let key = (space, address.raw() >> PAGE_SHIFT);
        if !self.pages.contains_key(&key) {
            self.remember_around(memory, space, address);
        }
        let found = *self.pages.get(&key)?;
        assert_eq!(
            found.generation,
            memory.generation(found.frame),
            "a stale translation of {address:?} is used: {:?} has changed hands",
            found.frame
        );
        if let Some(memory_type) = memory.memory_type(found.frame) {
            assert_eq!(
                found.flags.memory, memory_type,
                "{:?} is shown with another type at {address:?} than in the direct map",
                found.frame
            );
        }
        Some(found)
    }

    /// Forgets what is stale in `space`.
    pub(super) fn forget(&mut self, space: Space, stale: Stale<'_>) {
        let is_stale = |page: usize| match stale.ranges {
            None => true,
            Some(ranges) => ranges
                .iter()
                .any(|stale| numbers(stale.range).contains(&page)),
        };
        let places = &mut self.places;
        self.pages.retain(|(other, page), _| {
            let stays = *other != space || !is_stale(*page);
            if !stays && let Some(place) = places.get_mut(&(space, large_place(*page))) {
                place.pages -= 1;
            }
            stays
        });
        if stale.has_tables || stale.ranges.is_none() {
            self.leaf_tables.retain(|(other, _), _| *other != space);
        }
    }

    /// Everything remembered about `space`, by the address of the page.
    pub(super) fn remembered(&self, space: Space) -> impl Iterator<Item = (VirtAddr, Remembered)> {
        self.pages
            .iter()
            .filter(move |((other, _), _)| *other == space)
            .map(|((_, page), found)| (VirtAddr::new(page << PAGE_SHIFT), *found))
    }

    fn remember_around(&mut self, memory: &'static PageDatabase, space: Space, address: VirtAddr) {
        let page = address.raw() >> PAGE_SHIFT;
        for page in page.saturating_sub(SPECULATION)..=page + SPECULATION {
            let address = VirtAddr::new(page << PAGE_SHIFT);
            if !self.pages.contains_key(&(space, page))
                && let Some(found) = self.walk(memory, space, address)
            {
                self.note_size((space, large_place(page)), found.size);
                self.pages.insert((space, page), found);
            }
        }
    }

    /// Notes that a page that is a part of one of `size` is remembered.
    fn note_size(&mut self, key: (Space, usize), size: PageSize) {
        let place = self.places.entry(key).or_insert(Place { size, pages: 0 });
        assert!(
            place.size == size || place.pages == 0,
            "pages of two sizes are remembered in one place"
        );
        place.size = size;
        place.pages += 1;
    }

    /// Walks the tables, from the leaf table if it is remembered.
    fn walk(
        &mut self,
        memory: &'static PageDatabase,
        space: Space,
        address: VirtAddr,
    ) -> Option<Remembered> {
        let key = (space, Level::LEAF.table_number(address));
        if let Some(table) = self.leaf_tables.get(&key) {
            assert_eq!(
                table.generation,
                memory.generation(table.address),
                "a stale table for {address:?} is walked: {:?} has changed hands",
                table.address
            );
            return leaf(memory, table.address, Level::LEAF, address);
        }
        let (table, level) = descend(memory, space.root, address);
        if level == Level::LEAF {
            let generation = memory.generation(table);
            self.leaf_tables.insert(
                key,
                RememberedTable {
                    address: table,
                    generation,
                },
            );
        }
        leaf(memory, table, level, address)
    }
}

/// What the tables say about the page at `address` now.
pub(super) fn look_up(
    memory: &'static PageDatabase,
    space: Space,
    address: VirtAddr,
) -> Option<Remembered> {
    let (table, level) = descend(memory, space.root, address);
    leaf(memory, table, level, address)
}

/// The lowest table on the way to `address`.
fn descend(memory: &'static PageDatabase, root: PhysAddr, address: VirtAddr) -> (PhysAddr, Level) {
    let mut table = root;
    let mut level = Level::ROOT;
    while let Some(below) = level.below()
        && let Entry::Table(next) =
            SimFormat::decode(Table::read(memory, table, level.index(address)), level)
    {
        table = next;
        level = below;
    }
    (table, level)
}

/// The translation of the base page at `address` by an entry of `table`.
fn leaf(
    memory: &'static PageDatabase,
    table: PhysAddr,
    level: Level,
    address: VirtAddr,
) -> Option<Remembered> {
    let entry = Table::read(memory, table, level.index(address));
    let Entry::Leaf(leaf) = SimFormat::decode(entry, level) else {
        return None;
    };
    let offset = address.raw() % leaf.size.bytes() / PAGE_SIZE;
    let frame = leaf.address.checked_add(PageCount::new(offset).bytes()?)?;
    Some(Remembered {
        frame,
        flags: leaf.flags,
        size: leaf.size,
        generation: memory.generation(frame),
    })
}

/// The number of the large page that a page would be in.
const fn large_place(page: usize) -> usize {
    page / PageSize::Large.pages().get()
}

/// The numbers of the pages in `range`.
fn numbers(range: VirtRange) -> std::ops::Range<usize> {
    range.base().raw() >> PAGE_SHIFT..range.end().raw() >> PAGE_SHIFT
}
