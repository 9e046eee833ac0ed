//! Allocating so that running out of memory is a [`Status`], not the end of the kernel.
//!
//! `Box::new`, `Arc::new` and growing a `Vec` end the program when memory runs out. Code that works for
//! a user program uses [`try_box`], [`try_arc`] and [`try_reserve`] instead. Where something must not
//! fail any more once changes have begun, take an [`ArcPermit`] first and fill it later:
//!
//! ```text
//!    let permit = ArcPermit::new()?;         everything that can fail
//!    …
//!    tree.insert(permit.fill(region))        from here on nothing can
//! ```
//!
//! # How an `Arc` gets its memory
//!
//! There is no stable way to make an `Arc` in memory of one's own. A permit therefore holds a block of
//! the size that `Arc::new` will ask for, and gives it back to the allocator right before. This relies
//! on one property of the kernel's heap, which [`heap`](crate::heap) promises and tests: *the block that
//! a CPU freed last is the next that it gets for the same layout*. The kernel is not preempted and
//! interrupt handlers do not allocate, so nothing comes between. Were it otherwise, `Arc::new` would
//! end the kernel with a message; memory safety does not depend on it.

#[cfg(any(test, feature = "fault-injection"))]
pub mod fault;

#[cfg(test)]
mod tests;

use alloc::alloc::{alloc, dealloc};
use alloc::boxed::Box;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::alloc::Layout;
use core::marker::PhantomData;
use core::ptr::NonNull;
use core::sync::atomic::AtomicUsize;

use syscall::{Result, Status};

/// Puts `value` into a box of its own.
///
/// # Errors
/// `NO_MEMORY`; `value` is dropped.
pub fn try_box<T>(value: T) -> Result<Box<T>> {
    let layout = Layout::new::<T>();
    if layout.size() == 0 {
        return Ok(Box::new(value));
    }
    let block = try_block(layout)?.cast::<T>();
    // SAFETY: The block is fresh, and has the size and alignment of a `T`.
    unsafe { block.write(value) };
    // SAFETY: The block holds a `T`, and was allocated with the layout of a `T`.
    Ok(unsafe { Box::from_raw(block.as_ptr()) })
}

/// Puts `value` into shared ownership.
///
/// # Errors
/// `NO_MEMORY`; `value` is dropped.
#[inline]
pub fn try_arc<T>(value: T) -> Result<Arc<T>> {
    Ok(ArcPermit::new()?.fill(value))
}

/// Makes room for `additional` further elements, so that pushing them allocates nothing.
///
/// # Errors
/// `NO_MEMORY`; nothing changes.
pub fn try_reserve<T>(vector: &mut Vec<T>, additional: usize) -> Result<()> {
    if vector.capacity() - vector.len() < additional {
        admit()?;
    }
    vector
        .try_reserve(additional)
        .map_err(|_| Status::NO_MEMORY)
}

/// Appends `value`.
///
/// # Errors
/// `NO_MEMORY`; nothing changes, and `value` is dropped.
pub fn try_push<T>(vector: &mut Vec<T>, value: T) -> Result<()> {
    try_reserve(vector, 1)?;
    vector.push(value);
    Ok(())
}

/// The memory for one `Arc<T>`, so that making it cannot fail.
#[must_use = "the memory goes back when the permit is dropped"]
pub struct ArcPermit<T> {
    block: NonNull<u8>,
    object: PhantomData<fn(T) -> Arc<T>>,
}

// SAFETY: A permit owns its block and nothing else; any thread may give that back.
unsafe impl<T> Send for ArcPermit<T> {}

// SAFETY: A shared permit allows nothing.
unsafe impl<T> Sync for ArcPermit<T> {}

impl<T> ArcPermit<T> {
    /// What `Arc::new` asks the allocator for: two counters and the object.
    const LAYOUT: Layout = {
        let Ok((layout, _)) = Layout::new::<[AtomicUsize; 2]>().extend(Layout::new::<T>()) else {
            panic!("the object is too large")
        };
        layout.pad_to_align()
    };

    /// Sets the memory aside.
    ///
    /// # Errors
    /// `NO_MEMORY`.
    #[inline]
    pub fn new() -> Result<Self> {
        const {
            let largest = crate::heap::LARGEST_CACHED_BYTES;
            assert!(
                Self::LAYOUT.size() <= largest,
                "the heap does not cache blocks of this size"
            );
        }
        Ok(Self {
            block: try_block(Self::LAYOUT)?,
            object: PhantomData,
        })
    }

    /// Puts `value` into shared ownership.
    #[inline]
    pub fn fill(self, value: T) -> Arc<T> {
        drop(self);
        Arc::new(value)
    }

    /// Puts what `make` returns into shared ownership; `make` gets a pointer to where that will be.
    pub fn fill_cyclic(self, make: impl FnOnce(&Weak<T>) -> T) -> Arc<T> {
        drop(self);
        Arc::new_cyclic(make)
    }
}

impl<T> Drop for ArcPermit<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: `new` allocated the block with this layout, and nothing else uses it.
        unsafe { dealloc(self.block.as_ptr(), Self::LAYOUT) };
    }
}

/// A fresh block for a layout that is not empty.
#[inline]
fn try_block(layout: Layout) -> Result<NonNull<u8>> {
    admit()?;
    debug_assert!(layout.size() != 0);
    // SAFETY: Both callers pass a layout of more than no bytes.
    NonNull::new(unsafe { alloc(layout) }).ok_or(Status::NO_MEMORY)
}

/// Fails if a test wants this allocation to fail.
#[inline]
fn admit() -> Result<()> {
    #[cfg(any(test, feature = "fault-injection"))]
    if fault::strikes() {
        return Err(Status::NO_MEMORY);
    }
    Ok(())
}
