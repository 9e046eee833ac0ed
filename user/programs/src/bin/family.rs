//! Makes a family of VMOs, so that there is something to draw: `make vmo-tree`.
//!
//! ```text
//!   family [PAGES]     the first one has so many pages, 24 if nothing is said, at least 24
//!
//!   original ─┬─ copy ─── copy of it      snapshots, which then change some pages
//!             ├─ later copy               of a part, after the original has changed
//!             └─ window                   a slice
//! ```
//!
//! Then it asks the kernel what it has made, in JSON, which goes to the console.

#![no_std]
#![no_main]

extern crate alloc;

use alloc::format;
use alloc::string::String;
use core::ops::Range;

use zx::{AsHandleRef, Name, Status, VmarFlags, Vmo, VmoChildOptions};

rt::main!(main);

/// Pages of the first VMO if nobody says how many, and at least.
const PAGES: u64 = 24;

/// The size of a page in bytes.
const PAGE_BYTES: u64 = 4096;

fn main() -> Result<(), String> {
    let pages = wanted()?;
    let ask = || -> Result<(), Status> {
        let family = Family::new(pages)?;
        let koid = family.original.koid()?;
        rt::system_resource().debug_send_command(&format!("vmo {} --json", koid.raw_koid()))
    };
    ask().map_err(|status| format!("no family to show: {status:?}"))
}

/// The members, which live as long as this does.
struct Family {
    original: Vmo,
    #[expect(dead_code, reason = "their handles keep them alive")]
    others: [Vmo; 4],
}

impl Family {
    /// A family whose oldest member has so many pages.
    fn new(pages: u64) -> Result<Self, Status> {
        const SNAPSHOT: VmoChildOptions = VmoChildOptions::SNAPSHOT;
        let original = Vmo::create(pages * PAGE_BYTES)?;
        original.set_name(&Name::new_lossy("original"))?;
        write(&original, 0..12)?;
        write(&original, pages - 4..pages)?;
        let copy = child(&original, SNAPSHOT, 0..pages, "copy")?;
        write(&copy, 2..4)?;
        write(&copy, 12..14)?;
        let copy_of_it = child(&copy, SNAPSHOT, 0..16, "copy of it")?;
        write(&copy_of_it, 3..5)?;
        write(&original, 8..10)?;
        let later = child(&original, SNAPSHOT, 4..14, "later copy")?;
        // Its own page 2 is page 6 of the others.
        write(&later, 2..3)?;
        let window = child(&original, VmoChildOptions::SLICE, 6..12, "window")?;
        let flags = VmarFlags::PERM_READ | VmarFlags::PERM_WRITE;
        let bytes = (PAGES * PAGE_BYTES) as usize;
        rt::vmar_root_self().map(0, &original, 0, bytes, flags)?;
        Ok(Self {
            original,
            others: [copy, copy_of_it, later, window],
        })
    }
}

/// A child of some pages of `parent`.
fn child(
    parent: &Vmo,
    options: VmoChildOptions,
    pages: Range<u64>,
    name: &str,
) -> Result<Vmo, Status> {
    let (offset, size) = (
        pages.start * PAGE_BYTES,
        (pages.end - pages.start) * PAGE_BYTES,
    );
    let child = parent.create_child(options, offset, size)?;
    child.set_name(&Name::new_lossy(name))?;
    Ok(child)
}

/// Writes something to each of these pages.
fn write(vmo: &Vmo, mut pages: Range<u64>) -> Result<(), Status> {
    pages.try_for_each(|page| vmo.write(b"page", page * PAGE_BYTES))
}

/// How many pages are asked for.
fn wanted() -> Result<u64, String> {
    let Some(word) = rt::args().next() else {
        return Ok(PAGES);
    };
    let most = u64::MAX / PAGE_BYTES / 2;
    match word.parse() {
        Ok(pages) if (PAGES..=most).contains(&pages) => Ok(pages),
        _ => Err(format!(
            "`{word}` is no count of pages from {PAGES} to {most}; try `family 1000`"
        )),
    }
}
