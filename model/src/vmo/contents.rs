//! The contents of a VMO that has pages of its own.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use crate::PAGE;

const P: u64 = PAGE as u64;

/// Numbers for frames.
#[derive(Clone, Debug, Default)]
pub struct Frames(u64);

impl Frames {
    /// How many numbers there have been; all are smaller.
    pub const fn count(&self) -> usize {
        self.0 as usize
    }

    const fn fresh(&mut self) -> u64 {
        self.0 += 1;
        self.0 - 1
    }
}

/// A page that is there.
#[derive(Clone, Debug)]
pub struct Page {
    /// Which frame it is in. Pages of several VMOs with the same number are in the same one.
    pub frame: u64,
    bytes: Box<[u8; PAGE]>,
}

/// Pages, all of which are copied with it.
#[derive(Clone, Debug)]
pub struct Contents {
    /// Where the first byte lies in the VMO that all others of the family come from.
    pub base: u64,
    /// The size in bytes, a whole number of pages.
    pub size: u64,
    /// The size of the stream in bytes.
    pub stream: u64,
    /// The pages that are there; all others read as zero.
    present: BTreeMap<u64, Page>,
}

impl Contents {
    pub const fn empty(base: u64, size: u64, stream: u64) -> Self {
        Self {
            base,
            size,
            stream,
            present: BTreeMap::new(),
        }
    }

    /// The pages that are there, with their numbers, of those in `pages`.
    pub fn present(&self, pages: Range<u64>) -> impl Iterator<Item = (u64, &Page)> {
        // A range that ends before it begins is empty, but not to the map.
        let end = pages.end.max(pages.start);
        let found = self.present.range(pages.start..end);
        found.map(|(number, page)| (*number, page))
    }

    pub fn read(&self, bytes: Range<u64>) -> Vec<u8> {
        let mut read = vec![0; (bytes.end - bytes.start) as usize];
        for (part, at) in parts(&bytes) {
            let length = part.len();
            if let Some(page) = self.present.get(&at.page) {
                read[at.done..at.done + length].copy_from_slice(&page.bytes[part]);
            }
        }
        read
    }

    pub fn byte(&self, offset: u64) -> u8 {
        let page = self.present.get(&(offset / P));
        page.map_or(0, |page| page.bytes[(offset % P) as usize])
    }

    /// Writes bytes. The pages that they are in are nobody else's then.
    pub fn write(&mut self, offset: u64, bytes: &[u8], frames: &mut Frames) {
        for (part, at) in parts(&(offset..offset + bytes.len() as u64)) {
            let length = part.len();
            let page = self.own(at.page, frames);
            page.bytes[part].copy_from_slice(&bytes[at.done..at.done + length]);
        }
    }

    /// Makes pages present that are nobody else's.
    pub fn commit(&mut self, pages: Range<u64>, frames: &mut Frames) {
        for page in pages {
            self.own(page, frames);
        }
    }

    /// Makes bytes zero: whole pages go, and parts of pages that are there are written.
    pub fn zero(&mut self, bytes: Range<u64>, frames: &mut Frames) {
        let whole = bytes.start.div_ceil(P)..bytes.end / P;
        self.clear(whole);
        let (first, last) = (bytes.start / P, bytes.end.saturating_sub(1) / P);
        for page in [first, last] {
            let part = bytes.start.max(page * P)..bytes.end.min(page.saturating_add(1) * P);
            if !part.is_empty() && self.present.contains_key(&page) {
                let part = (part.start - page * P) as usize..(part.end - page * P) as usize;
                self.own(page, frames).bytes[part].fill(0);
            }
        }
    }

    /// Makes pages absent.
    pub fn clear(&mut self, pages: Range<u64>) {
        self.present.retain(|page, _| !pages.contains(page));
    }

    /// Takes pages out, numbered from the first of the range on.
    pub fn take(&mut self, pages: Range<u64>) -> BTreeMap<u64, Page> {
        let taken = self.copied(pages.clone());
        self.clear(pages);
        taken
    }

    /// Replaces as many pages as `range` has, by those that are there in `pages`, in frames of their own.
    pub fn put(&mut self, range: Range<u64>, pages: BTreeMap<u64, Page>, frames: &mut Frames) {
        self.clear(range.clone());
        for (number, page) in pages {
            let frame = frames.fresh();
            self.present
                .insert(range.start + number, Page { frame, ..page });
        }
    }

    /// Pages with copies of all that is in them, in the same frames, from page `pages.start` on.
    pub fn snapshot(&self, pages: Range<u64>, child: Self) -> Self {
        let present = self.copied(pages);
        Self { present, ..child }
    }

    fn copied(&self, pages: Range<u64>) -> BTreeMap<u64, Page> {
        let first = pages.start;
        let copies = self.present(pages);
        copies
            .map(|(number, page)| (number - first, page.clone()))
            .collect()
    }

    /// Changes the size.
    pub fn resize(&mut self, size: u64, frames: &mut Frames) {
        self.size = size.next_multiple_of(P);
        self.stream = size;
        self.present.retain(|page, _| *page < self.size / P);
        self.zero(size..self.size, frames);
    }

    /// A page that is there, and nobody else's.
    fn own(&mut self, number: u64, frames: &mut Frames) -> &mut Page {
        let frame = frames.fresh();
        let page = self.present.entry(number).or_insert_with(|| Page {
            frame,
            bytes: Box::new([0; PAGE]),
        });
        // Nobody can tell a frame that had one owner from another one.
        page.frame = frame;
        page
    }
}

/// Where a part of a range of bytes lies.
struct At {
    page: u64,
    /// How many bytes come before it.
    done: usize,
}

/// Cuts a range of bytes at page boundaries, into ranges of bytes in one page.
fn parts(bytes: &Range<u64>) -> Vec<(Range<usize>, At)> {
    let mut all = Vec::new();
    let mut next = bytes.start;
    while next < bytes.end {
        let (page, skipped) = (next / P, next % P);
        let length = (P - skipped).min(bytes.end - next);
        let done = (next - bytes.start) as usize;
        all.push((
            skipped as usize..(skipped + length) as usize,
            At { page, done },
        ));
        next += length;
    }
    all
}
