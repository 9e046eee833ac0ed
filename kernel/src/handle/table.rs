//! Handle values and what they stand for, for one process.
//!
//! [`HandleTable`] is a vector of slots. A handle value names a slot and the generation in which it
//! was filled, scrambled with keys that each table draws for itself ([`Scramble`]):
//!
//! ```text
//!  31                                  2 1 0
//! ┌─────────────────────────────────────┬───┐
//! │ scramble(generation << 18 | index)  │1 1│   never zero: the two low bits are always set
//! └─────────────────────────────────────┴───┘
//! ```
//!
//! Lookup, insertion and removal take constant time. A slot is reused only after at least
//! [`SPARE_SLOTS`] others were freed before it, and then with the next generation, so that a closed
//! or guessed value names nothing.
//!
//! Invariants, kept by `insert` and `remove` alone:
//! 1. `free` counts the slots that are `Free`; they form a queue from `first` to `last`.
//! 2. A value decodes to a slot that is `Used` exactly if its generation is the slot's.

use alloc::vec::Vec;
use core::mem;
use core::ops::Range;

use syscall::{Result, Status};

/// The number of bits of a value that name a slot.
const INDEX_BITS: u32 = 18;

/// The number of bits of a value that count how often its slot was used.
const GENERATION_BITS: u32 = 12;

const PAYLOAD_BITS: u32 = INDEX_BITS + GENERATION_BITS;
const PAYLOAD_MASK: u32 = (1 << PAYLOAD_BITS) - 1;
const INDEX_MASK: u32 = (1 << INDEX_BITS) - 1;
const GENERATION_MASK: u32 = (1 << GENERATION_BITS) - 1;

/// What every valid value has in its low bits.
const LOW_BITS: u32 = 0b11;
const LOW_BIT_COUNT: u32 = 2;

/// Handles that one process can have.
pub const MAX_HANDLES: usize = 1 << INDEX_BITS;

/// Free slots that a table keeps before it reuses one.
const SPARE_SLOTS: usize = 64;

/// The handles of one process, or whatever else `T` stands for.
pub struct HandleTable<T> {
    slots: Vec<Slot<T>>,
    first: Option<u32>,
    last: Option<u32>,
    free: usize,
    scramble: Scramble,
}

struct Slot<T> {
    generation: u32,
    content: Content<T>,
}

enum Content<T> {
    Free { next: Option<u32> },
    Used(T),
}

impl<T> HandleTable<T> {
    /// An empty table whose values depend on `seed`.
    pub const fn new(seed: u64) -> Self {
        Self {
            slots: Vec::new(),
            first: None,
            last: None,
            free: 0,
            scramble: Scramble::new(seed),
        }
    }

    /// The number of handles in the table.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free
    }

    /// Puts `entry` in and returns its value.
    ///
    /// # Errors
    /// `entry`, if the table is full or cannot grow: dropping it may take more than the caller can do here.
    pub fn insert(&mut self, entry: T) -> Result<u32, T> {
        let index = match self.take_spare() {
            Some(index) => index,
            None => match self.grow().or_else(|error| self.take_free().ok_or(error)) {
                Ok(index) => index,
                Err(_) => return Err(entry),
            },
        };
        let slot = &mut self.slots[index as usize];
        slot.content = Content::Used(entry);
        Ok(self.scramble.encode(slot.generation << INDEX_BITS | index))
    }

    /// What `value` stands for.
    pub fn get(&self, value: u32) -> Option<&T> {
        let index = self.index_of(value)?;
        match &self.slots[index as usize].content {
            Content::Used(entry) => Some(entry),
            Content::Free { .. } => None,
        }
    }

    /// Shows `visit` what is in these slots; answers the slot that comes after them, if there is one.
    ///
    /// Whoever visits all slots in several steps sees what stays in the table meanwhile exactly once.
    pub fn visit(&self, slots: Range<usize>, mut visit: impl FnMut(&T)) -> Option<usize> {
        let end = slots.end.min(self.slots.len());
        let visited = self.slots.get(slots.start..end).unwrap_or_default();
        for slot in visited {
            if let Content::Used(entry) = &slot.content {
                visit(entry);
            }
        }
        (end < self.slots.len()).then_some(end)
    }

    /// Takes out what `value` stands for; the value stands for nothing from now on.
    pub fn remove(&mut self, value: u32) -> Option<T> {
        let index = self.index_of(value)?;
        let slot = &mut self.slots[index as usize];
        if matches!(slot.content, Content::Free { .. }) {
            return None;
        }
        let content = mem::replace(&mut slot.content, Content::Free { next: None });
        slot.generation = (slot.generation + 1) & GENERATION_MASK;
        self.append_free(index);
        match content {
            Content::Used(entry) => Some(entry),
            Content::Free { .. } => None,
        }
    }

    /// Makes the table empty and hands out all that was in it.
    pub fn take_all(&mut self) -> impl Iterator<Item = T> + use<T> {
        (self.first, self.last, self.free) = (None, None, 0);
        mem::take(&mut self.slots)
            .into_iter()
            .filter_map(|slot| match slot.content {
                Content::Used(entry) => Some(entry),
                Content::Free { .. } => None,
            })
    }

    /// The slot that `value` names, if it exists and is in that generation.
    fn index_of(&self, value: u32) -> Option<u32> {
        let payload = self.scramble.decode(value)?;
        let index = payload & INDEX_MASK;
        let slot = self.slots.get(index as usize)?;
        (slot.generation == payload >> INDEX_BITS).then_some(index)
    }

    /// A free slot, if there are more of them than the spare ones.
    fn take_spare(&mut self) -> Option<u32> {
        if self.free > SPARE_SLOTS {
            self.take_free()
        } else {
            None
        }
    }

    /// The slot that has been free for longest.
    fn take_free(&mut self) -> Option<u32> {
        let index = self.first?;
        let Content::Free { next } = self.slots[index as usize].content else {
            return None;
        };
        self.first = next;
        if next.is_none() {
            self.last = None;
        }
        self.free -= 1;
        Some(index)
    }

    /// Adds a slot that belongs to no queue yet.
    fn grow(&mut self) -> Result<u32> {
        if self.slots.len() == MAX_HANDLES {
            return Err(Status::NO_MEMORY);
        }
        self.slots.try_reserve(1).map_err(|_| Status::NO_MEMORY)?;
        let index = self.slots.len() as u32;
        self.slots.push(Slot {
            generation: 0,
            content: Content::Free { next: None },
        });
        Ok(index)
    }

    /// Puts the slot at the end of the queue of free ones.
    fn append_free(&mut self, index: u32) {
        match self.last.replace(index) {
            Some(last) => self.slots[last as usize].content = Content::Free { next: Some(index) },
            None => self.first = Some(index),
        }
        self.free += 1;
    }
}

/// A bijection between payloads and the upper bits of handle values.
///
/// It hides indices and generations from programs, so that none of them depends on their order; it
/// is no cipher, and nothing relies on it for security: a process reaches its own table only.
struct Scramble {
    mask: u32,
    factor: u32,
    inverse: u32,
}

impl Scramble {
    const fn new(seed: u64) -> Self {
        let factor = (seed >> 32) as u32 | 1;
        Self {
            mask: seed as u32 & PAYLOAD_MASK,
            factor,
            inverse: inverse(factor),
        }
    }

    const fn encode(&self, payload: u32) -> u32 {
        let scrambled = (payload ^ self.mask).wrapping_mul(self.factor) & PAYLOAD_MASK;
        scrambled << LOW_BIT_COUNT | LOW_BITS
    }

    const fn decode(&self, value: u32) -> Option<u32> {
        if value & LOW_BITS != LOW_BITS {
            return None;
        }
        let payload = (value >> LOW_BIT_COUNT).wrapping_mul(self.inverse) & PAYLOAD_MASK;
        Some(payload ^ self.mask)
    }
}

/// The number whose product with the odd number `factor` is 1 modulo 2^32.
const fn inverse(factor: u32) -> u32 {
    // Newton's iteration doubles the number of right low bits: 3, 6, 12, 24, 48.
    let mut result = factor;
    let mut step = 0;
    while step < 4 {
        result = result.wrapping_mul(2u32.wrapping_sub(factor.wrapping_mul(result)));
        step += 1;
    }
    result
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
