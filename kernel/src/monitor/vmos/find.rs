//! Finding VMOs: through the handles of processes, and through what is mapped.
//!
//! There is no list of all VMOs, and there may be any number of them. A [`Search`] goes by koid, which
//! never changes: each pass over handles and mappings keeps the lowest few that are higher than those of
//! the pass before. So it needs the same memory for ten VMOs as for a million, and shows none twice.

use alloc::sync::Arc;
use alloc::vec::Vec;

use arch::paging::Tables;
use syscall::{Koid, Name, Result, Status};
use vm::aspace::AddressSpace;
use vm::vmo::Vmo;

use super::super::words::Subject;
use crate::memory;
use crate::object::{Process, processes};
use crate::records;

/// VMOs that one pass keeps.
#[cfg(not(test))]
const PASS: usize = 256;
/// Fewer, so that a handful of VMOs takes several passes.
#[cfg(test)]
const PASS: usize = 3;

/// A VMO and how it was found.
pub struct Found {
    /// The VMO.
    pub vmo: Arc<Vmo<Tables>>,
    /// How many handles to it the processes have.
    pub handles: usize,
    /// How many mappings of it they have.
    pub mappings: usize,
}

/// Who may have a VMO.
pub struct Holder {
    /// Whose handles are looked at; the kernel has none.
    process: Option<Arc<Process>>,
    space: Arc<AddressSpace<Tables>>,
}

/// How a VMO was come by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Via {
    Handle,
    Mapping,
    /// Another one, which shows its pages.
    View,
}

/// A search for the VMOs of some holders, by koid.
pub struct Search {
    holders: Vec<Holder>,
    /// Those up to here are done.
    done: Koid,
    pass: Vec<Found>,
}

impl Holder {
    /// The kernel and all processes, or only the one that `subject` names.
    ///
    /// # Errors
    /// - `NOT_FOUND`: the process has ended meanwhile.
    /// - `NO_MEMORY`: none for the list.
    pub fn list(subject: Option<&Subject>) -> Result<Vec<Self>> {
        let wanted = subject.map(|subject| subject.koid);
        let processes = processes()?;
        let mut list = Vec::new();
        list.try_reserve_exact(processes.len() + 1)
            .map_err(|_| Status::NO_MEMORY)?;
        if wanted.flatten().is_none() {
            list.push(Self::kernel());
        }
        if wanted != Some(None) {
            let is_wanted = |process: &Arc<Process>| {
                let koid = process.header().koid().raw_koid();
                wanted.flatten().is_none_or(|wanted| wanted == koid)
            };
            list.extend(processes.into_iter().filter(is_wanted).map(Self::from));
        }
        if list.is_empty() {
            return Err(Status::NOT_FOUND);
        }
        Ok(list)
    }

    fn kernel() -> Self {
        Self {
            process: None,
            space: Arc::clone(memory::kernel_space()),
        }
    }

    /// An address space without a process.
    #[cfg(test)]
    pub fn of_space(space: &Arc<AddressSpace<Tables>>) -> Self {
        Self {
            process: None,
            space: Arc::clone(space),
        }
    }

    /// The address space.
    pub const fn space(&self) -> &Arc<AddressSpace<Tables>> {
        &self.space
    }

    /// The number of the process; the kernel has none.
    pub fn koid(&self) -> Option<u64> {
        let process = self.process.as_ref()?;
        Some(process.header().koid().raw_koid())
    }

    /// The name of the process, or of the kernel's address space.
    pub fn name(&self) -> Name {
        let process = self.process.as_ref();
        process.map_or(self.space.config().name, |process| process.name())
    }

    /// Shows `visit` every VMO that the holder has, once for each handle and each mapping, and with each the
    /// one whose pages it shows. No lock is held meanwhile.
    ///
    /// # Errors
    /// `CANCELED`: the current thread is to end.
    fn visit(&self, mut visit: impl FnMut(&Arc<Vmo<Tables>>, Via)) -> Result<()> {
        let mut visit = |vmo: &Arc<Vmo<Tables>>, via| {
            visit(vmo, via);
            if vmo.is_view() {
                visit(vmo.owner(), Via::View);
            }
        };
        if let Some(process) = &self.process {
            records::for_each_handle(process, |object, _| {
                visit(object.vmo(), Via::Handle);
                Ok(())
            })?;
        }
        let root = self.space.root();
        let shown = root.and_then(|root| {
            records::for_each_mapping(root, |mapped| {
                visit(&mapped.vmo, Via::Mapping);
                Ok(())
            })
        });
        match shown {
            // A process that ends has nothing left to show.
            Err(Status::BAD_STATE) => Ok(()),
            other => other,
        }
    }
}

impl From<Arc<Process>> for Holder {
    fn from(process: Arc<Process>) -> Self {
        Self {
            space: Arc::clone(process.space()),
            process: Some(process),
        }
    }
}

impl Search {
    /// A search for all VMOs of `holders`.
    ///
    /// # Errors
    /// `NO_MEMORY`: none for what a pass keeps.
    pub fn new(holders: Vec<Holder>) -> Result<Self> {
        let mut pass = Vec::new();
        pass.try_reserve_exact(PASS)
            .map_err(|_| Status::NO_MEMORY)?;
        Ok(Self {
            holders,
            done: Koid::INVALID,
            pass,
        })
    }

    /// The next VMOs by koid; none when there are no more.
    ///
    /// # Errors
    /// `CANCELED`: the current thread is to end.
    pub fn next_pass(&mut self) -> Result<&[Found]> {
        match self.pass.last() {
            Some(last) if self.pass.len() == PASS => self.done = last.vmo.koid(),
            // There were fewer than had room.
            Some(_) => self.holders.clear(),
            None => (),
        }
        self.pass.clear();
        let (done, pass) = (self.done, &mut self.pass);
        for holder in &self.holders {
            holder.visit(|vmo, via| {
                if vmo.koid() > done {
                    note(pass, vmo, via);
                }
            })?;
        }
        Ok(&self.pass)
    }
}

/// The VMO with this koid that one of `holders` has.
///
/// # Errors
/// - `NOT_FOUND`: none of them has it.
/// - `CANCELED`: the current thread is to end.
pub fn find(holders: &[Holder], koid: Koid) -> Result<Arc<Vmo<Tables>>> {
    let mut found = None;
    for holder in holders {
        holder.visit(|vmo, _| {
            if vmo.koid() == koid {
                found = Some(Arc::clone(vmo));
            }
        })?;
        if found.is_some() {
            break;
        }
    }
    found.ok_or(Status::NOT_FOUND)
}

/// Counts `vmo` among the lowest ones, which are in order of their koids.
fn note(pass: &mut Vec<Found>, vmo: &Arc<Vmo<Tables>>, via: Via) {
    let koid = vmo.koid();
    let place = match pass.binary_search_by_key(&koid, |found| found.vmo.koid()) {
        Ok(place) => place,
        Err(PASS) => return,
        Err(place) => {
            // One that gives way comes again in the next pass, and all that is known of it with it.
            pass.truncate(PASS - 1);
            let vmo = Arc::clone(vmo);
            pass.insert(
                place,
                Found {
                    vmo,
                    handles: 0,
                    mappings: 0,
                },
            );
            place
        }
    };
    let found = &mut pass[place];
    match via {
        Via::Handle => found.handles += 1,
        Via::Mapping => found.mappings += 1,
        Via::View => {}
    }
}
