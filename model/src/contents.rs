//! The contents of a VMO, as far as the model looks: the first byte of each page.

use alloc::vec;
use alloc::vec::Vec;

use syscall::{Result, Status};

use crate::PAGE;

/// A VMO.
#[derive(Clone, Debug)]
pub struct Memory {
    is_resizable: bool,
    /// The size in bytes that was asked for last.
    stream: u64,
    /// What each page begins with; `None` stands for a page that is absent and reads as zero.
    pages: Vec<Option<u8>>,
}

impl Memory {
    pub fn new(pages: usize, is_resizable: bool) -> Self {
        Self {
            is_resizable,
            stream: (pages * PAGE) as u64,
            pages: vec![None; pages],
        }
    }

    pub const fn is_resizable(&self) -> bool {
        self.is_resizable
    }

    /// How many pages there are.
    pub const fn len(&self) -> u64 {
        self.pages.len() as u64
    }

    /// How many pages the stream touches.
    pub const fn stream_pages(&self) -> u64 {
        self.stream.div_ceil(PAGE as u64)
    }

    /// What a page begins with, if there is such a page.
    pub fn byte(&self, page: u64) -> Option<u8> {
        self.page(page).map(|byte| byte.unwrap_or(0))
    }

    /// Whether a page takes memory.
    pub fn is_present(&self, page: u64) -> bool {
        self.page(page).flatten().is_some()
    }

    fn page(&self, page: u64) -> Option<Option<u8>> {
        self.pages.get(usize::try_from(page).ok()?).copied()
    }

    pub fn bytes(&self) -> impl Iterator<Item = u8> {
        self.pages.iter().map(|byte| byte.unwrap_or(0))
    }

    /// Makes a page present, as it reads, or with another first byte.
    pub fn commit(&mut self, page: u64, value: Option<u8>) {
        if let Some(byte) = self.pages.get_mut(page as usize) {
            *byte = Some(value.or(*byte).unwrap_or(0));
        }
    }

    /// Makes a page absent.
    pub fn clear(&mut self, page: u64) {
        if let Some(byte) = self.pages.get_mut(page as usize) {
            *byte = None;
        }
    }

    pub fn write(&mut self, page: usize, value: u8) -> Result<()> {
        if page >= self.pages.len() {
            return Err(Status::OUT_OF_RANGE);
        }
        self.commit(page as u64, Some(value));
        Ok(())
    }

    pub fn resize(&mut self, size: u64) -> Result<()> {
        if !self.is_resizable {
            return Err(Status::UNAVAILABLE);
        }
        self.stream = size;
        self.pages.resize(self.stream_pages() as usize, None);
        Ok(())
    }

    pub fn set_stream(&mut self, size: u64) -> Result<()> {
        if size == self.stream {
            return Ok(());
        }
        if size > self.len() * PAGE as u64 {
            return Err(Status::OUT_OF_RANGE);
        }
        let kept = size.min(self.stream).div_ceil(PAGE as u64) as usize;
        self.pages[kept..].fill(None);
        self.stream = size;
        Ok(())
    }
}
