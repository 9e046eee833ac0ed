//! The stream size of a VMO: how many of its bytes somebody has a use for.

use syscall::{Result, Status};

use super::{PageIndex, Vmo, VmoKind};
use crate::addr::PAGE_SIZE;
use crate::mmu::Mmu;

impl<M: Mmu> Vmo<M> {
    /// Makes the stream `size` bytes long.
    ///
    /// All bytes from the smaller of the old and the new size on become zero. Mappings that fault beyond
    /// the stream do so at once, on all CPUs. Needs memory only where pages or nodes are shared with other
    /// VMOs.
    ///
    /// All of this happens in one step, so that what is written later stays. The pages that are not needed any
    /// more are freed block by block afterwards; in between, `pause` is called with nothing locked.
    ///
    /// # Errors
    /// In this order; nothing changes.
    /// - `NOT_SUPPORTED`: the VMO is physical or contiguous.
    /// - `OUT_OF_RANGE`: `size` is beyond the end of the VMO.
    /// - `NO_MEMORY`: there is none for copies of what is shared.
    ///
    /// Source: `spec/vmo.md` §4.
    pub fn set_stream_size(&self, size: u64, pause: impl FnMut()) -> Result<()> {
        match self.kind() {
            VmoKind::Anonymous => {}
            VmoKind::Contiguous | VmoKind::Physical => return Err(Status::NOT_SUPPORTED),
        }
        let mut state = self.lock();
        let window = self.window(&state);
        let old = self.stream_size_in(&state);
        if size == old {
            return Ok(());
        }
        if size > window.end.saturating_since(window.start) * PAGE_SIZE as u64 {
            return Err(Status::OUT_OF_RANGE);
        }
        let kept = size.min(old);
        let beyond = self.owner_page(PageIndex::covering(kept))..window.end;
        state.prepare_free(self.pages(), beyond.clone())?;
        let tail = (kept % PAGE_SIZE as u64) as usize;
        state.zero_tail(
            self.pages(),
            self.owner_page(PageIndex::containing(kept)),
            tail,
        )?;
        self.note_stream_size(&mut state, size);
        // Where the stream ends earlier, the page of zeros goes too.
        if size < old || state.first_present(&beyond).is_some() {
            state.remove_translations(beyond.clone(), None);
        }
        let cut = state.cut(self.pages(), beyond);
        drop(state);
        cut.free(self.pages(), pause);
        Ok(())
    }
}
