//! `free`: whose the frames of memory are, what the heap holds, and what could be had back.
//!
//! [`Report`] is taken at once and written afterwards, so that its frames add up whatever happens meanwhile.

use core::str::SplitWhitespace;

use serde::Serialize;
use syscall::vmaps::HumanBytes;
use syscall::{Result, Status};
use vm::addr::{PAGE_SIZE, PageCount};
use vm::heap::HeapStatistics;
use vm::pages::{FrameCounts, FreeFrames, OwnerKind};

use super::json::{Document, to_console};
use super::words::{Format, Words};
use crate::memory;

/// `free [--json]`.
pub fn free(words: SplitWhitespace<'_>) -> Result<()> {
    let words = Words::parse("free", words)?;
    if let Some(word) = words.all().first() {
        println!("free: `{word}` means nothing here; it takes only `--json`");
        return Err(Status::INVALID_ARGS);
    }
    let report = Report::take();
    match words.format {
        Format::Text => {
            report.print();
            Ok(())
        }
        Format::Json => report.print_json(&mut to_console),
    }
}

/// Where the memory is.
struct Report {
    frames: FrameCounts,
    free: FreeFrames,
    heap: HeapStatistics,
    /// `None` if there was no memory to look for it.
    discardable: Option<Discardable>,
}

/// What the kernel takes back first when memory runs short.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
struct Discardable {
    vmos: usize,
    pages: u64,
}

impl Report {
    fn take() -> Self {
        let (frames, free) = memory::pages().counts_with_places();
        Self {
            frames,
            free,
            heap: memory::heap_statistics(),
            discardable: Discardable::count().ok(),
        }
    }

    /// The frames by owner, the free ones first. They add up to all.
    fn owners(&self) -> impl Iterator<Item = (&'static str, PageCount)> {
        let owned = OwnerKind::ALL.map(|kind| (kind.name(), self.frames.owned_by(kind)));
        core::iter::once(("free", self.frames.free)).chain(owned)
    }

    /// The free frames by place.
    const fn places(&self) -> [(&'static str, PageCount); 3] {
        [
            ("at hand for CPUs", self.free.caches),
            ("in broken blocks", self.free.depot),
            ("in whole blocks", self.free.buddy),
        ]
    }

    fn print(&self) {
        println!("  {:<20} {:>9} {:>8}", "owner of frames", "pages", "size");
        self.owners()
            .for_each(|(name, pages)| print_frames(name, pages));
        print_frames("all", self.frames.total);
        println!("  {:<20} {:>9} {:>8}", "free frames", "pages", "size");
        self.places()
            .into_iter()
            .for_each(|(place, pages)| print_frames(place, pages));
        let heap = &self.heap;
        println!("  {:<20} {:>9} {:>8}", "kernel heap", "blocks", "size");
        let (blocks, bytes) = (heap.live_blocks, heap.live_bytes as u64);
        println!("  {:<20} {blocks:>9} {:>8}", "in use", HumanBytes(bytes));
        let rows = [
            ("reserve", heap.arena_bytes),
            ("of it in use", heap.arena_used_bytes),
        ];
        for (name, bytes) in rows {
            println!("  {name:<20} {:>9} {:>8}", "", HumanBytes(bytes as u64));
        }
        println!("  {:<20} {:>9} {:>8}", "could be had back", "pages", "size");
        match self.discardable {
            Some(Discardable { vmos, pages }) => {
                let size = HumanBytes(pages * PAGE_SIZE as u64);
                println!(
                    "  {:<20} {pages:>9} {size:>8}  in {vmos} VMOs",
                    "discardable"
                );
            }
            None => println!("  {:<20} {:>9}", "discardable", "unknown"),
        }
    }

    /// Writes the document `jacinth-free`.
    fn print_json(&self, sink: &mut dyn FnMut(&[u8])) -> Result<()> {
        let header = Header {
            page_bytes: PAGE_SIZE,
            total: self.frames.total.get(),
        };
        let mut document = Document::open(sink, "jacinth-free", &header)?;
        document.array("owners")?;
        for (owner, pages) in self.owners() {
            let pages = pages.get();
            document.row(&OwnerRow { owner, pages })?;
        }
        document.end_array()?;
        document.close(&self.trailer())
    }

    const fn trailer(&self) -> Trailer {
        let (free, heap) = (&self.free, &self.heap);
        Trailer {
            free: FreeMember {
                caches: free.caches.get(),
                depot: free.depot.get(),
                buddy: free.buddy.get(),
            },
            heap: HeapMember {
                blocks: heap.live_blocks,
                bytes: heap.live_bytes,
                pages: heap.pages.get(),
                reserve_bytes: heap.arena_bytes,
                reserve_used: heap.arena_used_bytes,
            },
            discardable: self.discardable,
        }
    }
}

impl Discardable {
    /// # Errors
    /// `NO_MEMORY`: there is none to look for it.
    fn count() -> Result<Self> {
        let discardable = memory::pages().reclaimer().discardable()?;
        Ok(Self {
            vmos: discardable.unlocked_vmos,
            pages: discardable.unlocked.get() as u64,
        })
    }
}

fn print_frames(name: &str, pages: PageCount) {
    let pages = pages.get();
    let size = HumanBytes(pages as u64 * PAGE_SIZE as u64);
    println!("  {name:<20} {pages:>9} {size:>8}");
}

/// What the document begins with.
#[derive(Serialize)]
struct Header {
    page_bytes: usize,
    total: usize,
}

/// A row for an owner of frames.
#[derive(Serialize)]
struct OwnerRow {
    owner: &'static str,
    pages: usize,
}

/// What the document ends with.
#[derive(Serialize)]
struct Trailer {
    free: FreeMember,
    heap: HeapMember,
    discardable: Option<Discardable>,
}

#[derive(Serialize)]
struct FreeMember {
    caches: usize,
    depot: usize,
    buddy: usize,
}

#[derive(Serialize)]
struct HeapMember {
    blocks: usize,
    bytes: usize,
    pages: usize,
    reserve_bytes: usize,
    reserve_used: usize,
}

#[cfg(test)]
mod tests {
    use alloc::string::String;
    use core::str;

    use ktest::ktest;
    use serde_json::Value;
    use syscall::{Name, Rights, VmoOptions};
    use vm::pages::owner;

    use super::*;
    use crate::handle::Handle;
    use crate::object::{Job, Process, VmoObject};

    /// The document about the memory now.
    fn document() -> Value {
        let mut text = String::new();
        let mut sink = |line: &[u8]| text.push_str(str::from_utf8(line).expect("text"));
        assert_eq!(Report::take().print_json(&mut sink), Ok(()));
        serde_json::from_str(&text).expect("JSON")
    }

    fn owned(document: &Value, owner: &str) -> u64 {
        let rows = document["owners"].as_array().expect("rows");
        let row = rows.iter().find(|row| row["owner"] == owner);
        row.expect("each owner has a row")["pages"]
            .as_u64()
            .expect("a count")
    }

    #[ktest]
    fn the_frames_of_all_owners_add_up_to_all_and_so_do_the_free_ones() {
        let json = document();
        assert_eq!(json["format"], "jacinth-free");
        let rows = json["owners"].as_array().expect("rows");
        assert_eq!(rows.len(), OwnerKind::ALL.len() + 1);
        let sum: u64 = rows.iter().filter_map(|row| row["pages"].as_u64()).sum();
        assert_eq!(json["total"], sum);
        let places = ["caches", "depot", "buddy"].map(|place| json["free"][place].as_u64());
        let free: u64 = places.into_iter().flatten().sum();
        assert_eq!(owned(&json, "free"), free);
    }

    #[ktest]
    fn a_frame_that_is_taken_changes_its_owner() {
        let before = owned(&document(), OwnerKind::Stack.name());
        let frame = memory::pages().allocate::<owner::Stack>().expect("memory");
        let during = owned(&document(), OwnerKind::Stack.name());
        memory::pages().free(frame);
        assert_eq!(during, before + 1);
        assert_eq!(owned(&document(), OwnerKind::Stack.name()), before);
    }

    #[ktest]
    fn unlocked_discardable_pages_are_counted_as_long_as_somebody_has_them() {
        let before = Discardable::count().expect("memory");
        let process = Process::new(Job::root(), Name::new_lossy("free")).expect("memory");
        let size = 4 * PAGE_SIZE as u64;
        let object = VmoObject::create(size, VmoOptions::DISCARDABLE).expect("memory");
        assert_eq!(object.vmo().write(0, b"x"), Ok(()));
        let handle = Handle::new(object.clone(), Rights::NONE);
        assert!(process.add_handle(handle).is_ok());
        let during = Discardable::count().expect("memory");
        assert!(object.vmo().lock_pages(0, size).is_ok());
        let locked = Discardable::count().expect("memory");
        process.abandon();
        assert_eq!(
            (during.vmos, during.pages),
            (before.vmos + 1, before.pages + 1)
        );
        assert_eq!(locked, before);
        assert_eq!(document()["discardable"]["pages"], before.pages);
    }
}
