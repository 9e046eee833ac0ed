//! What must be the same before and after a test: frames by owner, and live heap.

use core::fmt;

use vm::addr::PAGE_SIZE;
use vm::pages::{FrameCounts, Mismatch, OwnerKind};

use crate::memory;

/// The memory in use at some moment.
#[derive(Clone, Copy)]
pub struct Baseline {
    frames: FrameCounts,
    heap_bytes: usize,
}

/// The logarithm of the parts of a byte that VMOs account in.
const ATTRIBUTION_BITS: u32 = 63;

/// What is wrong after a test.
#[derive(Clone, Copy)]
pub enum Leak {
    /// The page database's books do not agree.
    Books(Mismatch),
    /// VMOs account together for something else than their frames.
    Accounts {
        /// The bytes that they account for.
        attributed_bytes: u64,
        /// The frames that they have.
        frames: usize,
    },
    /// Something was not given back, or was given back that was not taken.
    Memory {
        /// Before the test.
        before: Baseline,
        /// After it.
        after: Baseline,
    },
}

impl Baseline {
    /// The memory in use now.
    pub fn take() -> Self {
        memory::trim();
        let heap_bytes = memory::heap_statistics().live_bytes;
        Self {
            frames: memory::pages().counts(),
            heap_bytes,
        }
    }

    /// What is wrong with the memory in use now, if this is what was in use before.
    pub fn leak(&self) -> Option<Leak> {
        let after = Self::take();
        if let Err(mismatch) = memory::pages().audit() {
            return Some(Leak::Books(mismatch));
        }
        if let Some(leak) = after.wrong_accounts() {
            return Some(leak);
        }
        let is_same = after.heap_bytes == self.heap_bytes && after.frames == self.frames;
        (!is_same).then_some(Leak::Memory {
            before: *self,
            after,
        })
    }

    /// Whether VMOs account together for something else than their frames.
    fn wrong_accounts(&self) -> Option<Leak> {
        let parts = memory::pages().reclaimer().attributed_parts().ok()?;
        let frames = self.frames.owned_by(OwnerKind::Vmo).get();
        let is_right = parts == ((frames * PAGE_SIZE) as u128) << ATTRIBUTION_BITS;
        (!is_right).then_some(Leak::Accounts {
            attributed_bytes: (parts >> ATTRIBUTION_BITS) as u64,
            frames,
        })
    }
}

impl fmt::Display for Leak {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, after) = match self {
            Self::Books(mismatch) => return write!(formatter, "page database: {mismatch}"),
            Self::Accounts {
                attributed_bytes,
                frames,
            } => {
                return write!(
                    formatter,
                    "VMOs account for {attributed_bytes} bytes and a part, and have {frames} frames"
                );
            }
            Self::Memory { before, after } => (before, after),
        };
        formatter.write_str("memory before and after:")?;
        let (old, new) = (before.heap_bytes, after.heap_bytes);
        if old != new {
            write!(formatter, " heap {old} → {new} bytes;")?;
        }
        for kind in OwnerKind::ALL {
            let [old, new] = [before, after].map(|moment| moment.frames.owned_by(kind).get());
            if old != new {
                write!(formatter, " {} {old} → {new} frames;", kind.name())?;
            }
        }
        Ok(())
    }
}
