//! Runs of pages that are as long as can be.

use alloc::sync::Arc;

use arch::paging::Tables;
use vm::vmo::{PageIndex, SharedRun, Vmo};

/// The runs of pages of a VMO, each as long as its sharers stay the same.
pub struct Pages<'a> {
    vmo: &'a Arc<Vmo<Tables>>,
    /// What comes next: `vm` tells of runs in pieces, so it is seen only then whether one is at its end.
    ahead: Option<SharedRun>,
}

impl<'a> Pages<'a> {
    /// Those of `vmo`, which has its own pages.
    pub fn of(vmo: &'a Arc<Vmo<Tables>>) -> Self {
        Self {
            vmo,
            ahead: vmo.next_run(PageIndex::ZERO),
        }
    }
}

impl Iterator for Pages<'_> {
    type Item = SharedRun;

    fn next(&mut self) -> Option<SharedRun> {
        let mut run = self.ahead.take()?;
        loop {
            let end = run.first.saturating_add(run.pages);
            self.ahead = self.vmo.next_run(end);
            match &self.ahead {
                Some(next) if continues(&run, next) => run.pages += next.pages,
                _ => return Some(run),
            }
        }
    }
}

/// Whether `next` comes directly after `run` and has the same sharers, as far as one can tell.
fn continues(run: &SharedRun, next: &SharedRun) -> bool {
    run.first.saturating_add(run.pages) == next.first
        && run.sharers == next.sharers
        && run.sharers == run.named.len()
        && run.named == next.named
}
