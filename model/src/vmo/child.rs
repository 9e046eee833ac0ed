//! How VMOs come into being: `spec/vmo.md` §2 and §7.

use syscall::{Result, Rights, Status, VmoChildOptions, VmoOptions};

use super::contents::Contents;
use super::families::{Source, Traits, Vmo};
use super::{Child, Families, MAX_SIZE};
use crate::PAGE;

const P: u64 = PAGE as u64;

/// The options of which a child has exactly one.
const KINDS: VmoChildOptions = COPIES
    .union(VmoChildOptions::SLICE)
    .union(VmoChildOptions::REFERENCE);

const COPIES: VmoChildOptions = VmoChildOptions::SNAPSHOT
    .union(VmoChildOptions::SNAPSHOT_AT_LEAST_ON_WRITE)
    .union(VmoChildOptions::SNAPSHOT_MODIFIED);

impl Families {
    pub(super) fn create(&mut self, size: u64, options: VmoOptions) -> Result<()> {
        if options.contains(VmoOptions::RESIZABLE | VmoOptions::UNBOUNDED) {
            return Err(Status::INVALID_ARGS);
        }
        let rounded = round_up(size)?;
        let known = VmoOptions::RESIZABLE | VmoOptions::DISCARDABLE | VmoOptions::UNBOUNDED;
        if !known.contains(options) {
            return Err(Status::INVALID_ARGS);
        }
        if rounded > MAX_SIZE {
            return Err(Status::OUT_OF_RANGE);
        }
        let is_resizable = options.contains(VmoOptions::RESIZABLE);
        let resize = if is_resizable {
            Rights::RESIZE
        } else {
            Rights::NONE
        };
        let is_unbounded = options.contains(VmoOptions::UNBOUNDED);
        let bytes = if is_unbounded { MAX_SIZE } else { rounded };
        self.add(Vmo {
            source: Source::Own(Contents::empty(0, bytes, size)),
            parent: None,
            is_with_first_parent: false,
            rights: Rights::VMO_DEFAULT | resize,
            is_open: true,
            is_alive: true,
            traits: Traits {
                is_resizable,
                is_discardable: options.contains(VmoOptions::DISCARDABLE),
                ..Traits::default()
            },
        });
        Ok(())
    }

    pub(super) fn create_child(&mut self, request: &Child) -> Result<()> {
        let options = request.options;
        let rounded = round_up(request.size)?;
        if options.contains(VmoChildOptions::NO_WRITE | VmoChildOptions::RESIZABLE) {
            return Err(Status::INVALID_ARGS);
        }
        self.demand(request.parent, Rights::DUPLICATE | Rights::READ)?;
        check_options(options)?;
        let parent = request.parent.vmo;
        if self.vmos[parent].traits.is_discardable {
            return Err(Status::NOT_SUPPORTED);
        }
        let source = if options.contains(VmoChildOptions::SLICE) {
            self.slice(request, rounded)?
        } else if options.contains(VmoChildOptions::REFERENCE) {
            self.reference(request)?
        } else {
            self.snapshot(request, rounded)?
        };
        let is_copy = options.intersects(COPIES);
        let immutable = VmoChildOptions::SNAPSHOT | VmoChildOptions::NO_WRITE;
        let is_reference = options.contains(VmoChildOptions::REFERENCE);
        let is_resizable = options.contains(VmoChildOptions::RESIZABLE)
            || is_reference && self.vmos[parent].traits.is_resizable;
        self.add(Vmo {
            source,
            parent: Some(parent),
            is_with_first_parent: true,
            rights: child_rights(self.rights(request.parent), options),
            is_open: true,
            is_alive: true,
            traits: Traits {
                is_resizable,
                is_discardable: false,
                is_copy,
                is_immutable: options.contains(immutable),
            },
        });
        Ok(())
    }

    /// §7.2. Copies the pages there and then.
    fn snapshot(&self, request: &Child, size: u64) -> Result<Source> {
        if !request.offset.is_multiple_of(P) {
            return Err(Status::INVALID_ARGS);
        }
        if size > MAX_SIZE {
            return Err(Status::OUT_OF_RANGE);
        }
        let parent = request.parent.vmo;
        let (contents, skipped) = self.contents(parent);
        let begin = (contents.base + skipped).checked_add(request.offset);
        let base = begin.ok_or(Status::INVALID_ARGS)?;
        base.checked_add(size).ok_or(Status::INVALID_ARGS)?;
        let child = Contents::empty(base, size, request.size);
        // What the parent does not have, the child does not get, even if the owner has it.
        let end = (request.offset + size).min(self.size(parent));
        let pages = (skipped + request.offset) / P..(skipped + end) / P;
        Ok(Source::Own(contents.snapshot(pages, child)))
    }

    /// §7.3.
    fn slice(&self, request: &Child, size: u64) -> Result<Source> {
        if !request.offset.is_multiple_of(P) {
            return Err(Status::INVALID_ARGS);
        }
        if size > MAX_SIZE {
            return Err(Status::OUT_OF_RANGE);
        }
        let parent = request.parent.vmo;
        let end = request.offset.checked_add(size);
        if end.is_none_or(|end| end > self.size(parent)) {
            return Err(Status::INVALID_ARGS);
        }
        if self.vmos[parent].traits.is_resizable {
            return Err(Status::NOT_SUPPORTED);
        }
        let (owner, skipped) = self.owner(parent);
        let begin = skipped + request.offset;
        Ok(Source::Slice {
            owner,
            bytes: begin..begin + size,
            stream: request.size,
        })
    }

    /// §7.4.
    fn reference(&self, request: &Child) -> Result<Source> {
        if request.offset != 0 || request.size != 0 {
            return Err(Status::INVALID_ARGS);
        }
        let parent = request.parent.vmo;
        if matches!(self.vmos[parent].source, Source::Slice { .. }) {
            return Err(Status::NOT_SUPPORTED);
        }
        if request.options.contains(VmoChildOptions::RESIZABLE) {
            self.demand(request.parent, Rights::RESIZE)?;
        }
        let (owner, _) = self.owner(parent);
        Ok(Source::Reference { owner })
    }
}

/// Check 4 of §7.1.
fn check_options(options: VmoChildOptions) -> Result<()> {
    let known = KINDS | VmoChildOptions::RESIZABLE | VmoChildOptions::NO_WRITE;
    let is_one_kind = (options & KINDS).bits().is_power_of_two();
    let resizable_slice = VmoChildOptions::SLICE | VmoChildOptions::RESIZABLE;
    if known.contains(options) && is_one_kind && !options.contains(resizable_slice) {
        Ok(())
    } else {
        Err(Status::INVALID_ARGS)
    }
}

/// §7.5.
fn child_rights(parent: Rights, options: VmoChildOptions) -> Rights {
    let mut rights = parent.difference(Rights::RESIZE) | Rights::PROPERTY;
    if options.contains(VmoChildOptions::RESIZABLE) {
        rights |= Rights::RESIZE;
    }
    if options.contains(VmoChildOptions::NO_WRITE) {
        rights -= Rights::WRITE;
    } else if options.intersects(COPIES) {
        rights = rights.difference(Rights::EXECUTE) | Rights::WRITE;
    }
    rights
}

/// Rounds up to pages.
pub(super) fn round_up(size: u64) -> Result<u64> {
    size.checked_next_multiple_of(P).ok_or(Status::OUT_OF_RANGE)
}
