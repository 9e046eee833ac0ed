//! Lists of owned frames that need no memory.

use core::fmt;
use core::marker::PhantomData;

use intrusive_collections::SinglyLinkedList;

use super::PageDatabase;
use super::frame::{Frame, owner::Owner};
use super::info::{PageAdapter, PageInfo, list_pointer, listed};

/// Frames that belong to an `O`, linked through their records in the database.
///
/// No frame in it is shared, and the direct map shows all as cached memory.
#[must_use = "frames that are dropped are lost; free them"]
pub struct FrameList<O: Owner> {
    list: SinglyLinkedList<PageAdapter>,
    len: usize,
    owner: PhantomData<O>,
}

impl<O: Owner> FrameList<O> {
    /// An empty list.
    #[inline]
    pub const fn new() -> Self {
        Self {
            list: SinglyLinkedList::new(PageAdapter::NEW),
            len: 0,
            owner: PhantomData,
        }
    }

    /// How many frames are in it.
    #[inline]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether no frame is in it.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Puts `frame` in front.
    ///
    /// # Errors
    /// The frame, if it is shared, so that other holders may want to list it too; or if the direct map does
    /// not show it as cached memory, so that it has to be freed by itself.
    #[inline]
    pub fn push(&mut self, pages: &PageDatabase, frame: Frame<O>) -> Result<(), Frame<O>> {
        let info = pages.infos.get(frame.number());
        if !info.is_plain() {
            return Err(frame);
        }
        self.list.push_front(list_pointer(info));
        self.len += 1;
        Ok(())
    }

    /// Takes the first frame out.
    #[inline]
    pub fn pop(&mut self, pages: &PageDatabase) -> Option<Frame<O>> {
        let info = self.pop_info()?;
        Some(Frame::from_number(pages.infos.number_of(info)))
    }

    /// Moves all frames of `other` into this list; takes time in proportion to the shorter one.
    pub fn append(&mut self, other: &mut Self) {
        if self.len < other.len {
            core::mem::swap(self, other);
        }
        while let Some(info) = other.pop_info() {
            self.list.push_front(list_pointer(info));
            self.len += 1;
        }
    }

    #[inline]
    pub(super) fn pop_info(&mut self) -> Option<&'static PageInfo> {
        let info = self.list.pop_front()?;
        self.len -= 1;
        Some(listed(info))
    }
}

impl<O: Owner> Default for FrameList<O> {
    fn default() -> Self {
        Self::new()
    }
}

impl<O: Owner> fmt::Debug for FrameList<O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} frames of {}", self.len, O::KIND.name())
    }
}
