//! Entering the pages of a new mapping before anybody touches them.

use alloc::sync::Arc;
use core::ops::ControlFlow;

use syscall::{Result, Status, VmOptions};

use super::clear::remove_translations;
use super::{Enter, Mapping, ProtectionRun, Region, Vmar};
use crate::addr::{PageCount, VirtAddr, VirtRange};
use crate::mmu::{Access, Domain, MapFlags, Mmu};
use crate::region_tree::HasRange;
use crate::sync::SpinMutexGuard;
use crate::vmo::{Asker, PageIndex, Supply, VmoState, Want};

/// Whether a VMO has other mappings than the one at hand.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Others {
    /// It has some.
    Some,
    /// It has none.
    None,
}

impl<M: Mmu> Vmar<M> {
    /// Lets the VMO of a new mapping know it, and enters what has to be in the page table at once.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is none for page tables or, in the kernel, pages. The page table and the list
    /// are as before; a VMO that the kernel maps keeps the pages that were made.
    #[inline(always)]
    pub(super) fn list_and_fill(
        &self,
        region: &Arc<Region<M>>,
        options: VmOptions,
    ) -> Result<Others> {
        let Some(mapping) = region.as_mapping() else {
            return Ok(Others::None);
        };
        let mut vmo = mapping.vmo().lock();
        let others = if vmo.num_mappings() == 0 {
            Others::None
        } else {
            Others::Some
        };
        vmo.attach(region);
        match self.owner().config().domain {
            Domain::User if !options.contains(VmOptions::MAP_RANGE) => Ok(others),
            domain => self.fill(region, mapping, domain, vmo).map(|()| others),
        }
    }

    /// Enters the pages that are present, or in the kernel all, of a new mapping.
    ///
    /// # Errors
    /// As [`list_and_fill`](Self::list_and_fill).
    #[inline(never)]
    fn fill(
        &self,
        region: &Region<M>,
        mapping: &Mapping<M>,
        domain: Domain,
        mut vmo: SpinMutexGuard<'_, VmoState<M>>,
    ) -> Result<()> {
        mapping.marks().note_entered();
        let fill = Fill::new(region, mapping, &vmo);
        let filled = match domain {
            Domain::Kernel => fill.all(&mut vmo),
            Domain::User => fill.present(&vmo),
        };
        filled.inspect_err(|_| {
            remove_translations(self.owner().mmu(), region.range());
            let listed = vmo.detach(region);
            drop(vmo);
            drop(listed);
        })
    }
}

/// A part of a mapping whose translations are being entered, all with the same flags.
pub(super) struct Fill<'a, M: Mmu> {
    mapping: &'a Mapping<M>,
    /// The page that the first address shows.
    first: PageIndex,
    range: VirtRange,
    flags: MapFlags,
}

impl<'a, M: Mmu> Fill<'a, M> {
    /// All of a new mapping of `vmo`.
    fn new(region: &Region<M>, mapping: &'a Mapping<M>, vmo: &VmoState<M>) -> Self {
        let access = mapping.uniform_access().unwrap_or(Access::empty());
        let run = ProtectionRun {
            range: region.range(),
            access,
        };
        Self::part(mapping, mapping.first_owner_page(), run, vmo)
    }

    /// The addresses of `run`, which show the pages of `vmo` from `first` on.
    pub(super) fn part(
        mapping: &'a Mapping<M>,
        first: PageIndex,
        run: ProtectionRun,
        vmo: &VmoState<M>,
    ) -> Self {
        let ProtectionRun { range, access } = run;
        Self {
            mapping,
            first,
            range,
            flags: MapFlags {
                access,
                memory: vmo.memory(),
                domain: mapping.owner().config().domain,
            },
        }
    }

    /// Enters the pages that are present, as large pages where they can be; base pages that are entered
    /// already stay as they are otherwise.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is no frame for a table. Pages before that one have been entered.
    pub(super) fn present(&self, vmo: &VmoState<M>) -> Result<()> {
        if self.flags.access.is_empty() {
            return Ok(());
        }
        let past = self.first.saturating_add(self.range.pages().get() as u64);
        let past = past.min(self.mapping.fault_limit(vmo));
        let mut enter = Enter::new(self.mapping.owner().mmu(), self.range, self.flags);
        let pages = self.mapping.vmo().pages();
        let entered = vmo.visit_runs(pages, self.first..past, |index, run, sharing| {
            let address = self.address(index).ok_or(Status::OUT_OF_RANGE);
            match address.and_then(|address| enter.run(address, run, sharing)) {
                Ok(()) => ControlFlow::Continue(()),
                Err(status) => ControlFlow::Break(status),
            }
        });
        match entered {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(status) => Err(status),
        }
    }

    /// Makes all pages, and then enters them. The page table is not locked while pages are made, because that
    /// may take a change of the direct map, which is in the kernel's page table too.
    fn all(&self, vmo: &mut VmoState<M>) -> Result<()> {
        let pages = self.mapping.vmo().pages();
        for number in 0..self.range.pages().get() as u64 {
            let index = self.first.saturating_add(number);
            match vmo.supply(pages, index, Want::Write, Asker::Fault(self.mapping))? {
                // What the kernel maps it maps as a whole at once: nothing shows the page yet.
                Supply::Copied(_, stale) => stale.release(pages),
                Supply::Present(_) | Supply::Fresh(_) | Supply::Shared(_) | Supply::Zero => {}
                Supply::Wait(request) => match request {},
            }
        }
        self.present(vmo)
    }

    /// Where the page at `index` appears.
    fn address(&self, index: PageIndex) -> Option<VirtAddr> {
        let distance = usize::try_from(index.saturating_since(self.first)).ok()?;
        self.range
            .base()
            .checked_add(PageCount::new(distance).bytes()?)
    }
}
