//! The stream size of a VMO: how many of its bytes somebody has a use for.

use syscall::{Result, Status};

use super::{PageIndex, Vmo, VmoKind};
use crate::mmu::Mmu;

impl<M: Mmu> Vmo<M> {
    /// The size in bytes that was asked for last, before rounding; zero if it is not made of pages.
    pub fn stream_size(&self) -> u64 {
        self.lock().stream_size()
    }

    /// Makes the stream `size` bytes long.
    ///
    /// All bytes from the smaller of the old and the new size on become zero. Mappings that fault beyond
    /// the stream do so at once, on all CPUs. Allocates nothing.
    ///
    /// The zeroing goes by blocks; in between, `pause` is called with nothing locked.
    ///
    /// # Errors
    /// In this order; nothing changes.
    /// - `NOT_SUPPORTED`: the VMO is not made of pages.
    /// - `OUT_OF_RANGE`: `size` is beyond the end of the VMO.
    ///
    /// Source: `spec/vmo.md` §4.
    pub fn set_stream_size(&self, size: u64, mut pause: impl FnMut()) -> Result<()> {
        match self.kind() {
            VmoKind::Anonymous => {}
            VmoKind::Physical => return Err(Status::NOT_SUPPORTED),
        }
        let mut state = self.lock();
        let old = state.stream_size();
        if size == old {
            return Ok(());
        }
        if size > state.size() {
            return Err(Status::OUT_OF_RANGE);
        }
        let kept = size.min(old);
        state.stream_size = size;
        let mut beyond = PageIndex::covering(kept)..state.end();
        if size < old {
            // Also where the page of zeros is shown, which no block below has.
            state.remove_translations(beyond.clone(), None);
        }
        state.zero_tail(self.pages(), kept);
        drop(state);
        while !beyond.is_empty() {
            beyond = self.lock().clear_next_block(self.pages(), beyond);
            pause();
        }
        Ok(())
    }
}
