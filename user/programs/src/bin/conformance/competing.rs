//! Two things wrong with one call: the one that is checked first decides.
//!
//! A [`Wrong`] breaks one check of a table in `docs/spec/vmar.md`. [`earlier_decides`] tries each alone,
//! which shows that it is wrong at all, and then with every later one of the table that it can go with.
//!
//! ```text
//!   Wrong (check 7: a length of zero)     ─┐  joined
//!   Wrong (check 12: no right to a place) ─┴────────► Plan ─► a region as it asks for, and one call
//! ```

use alloc::format;

use zx::{Handle, HandleBased, Rights, Status, VmarFlags, Vmo, VmoOptions, sys};

use crate::calls;
use crate::fixtures::{
    CAN_MAP_ALL, P, Region, resizable_vmo_of, vmo_of, with_rights, without_rights,
};
use crate::harness::{Failure, Outcome, fail};

/// How many pages the region of a planned call has.
pub const PAGES: usize = 8;

/// All alignments of the option word: two of them together would be a third one.
pub const ANY_ALIGNMENT: u32 = 0xff << sys::ZX_VM_ALIGN_BASE;

/// What a call is made on, as far as it differs from what makes the call work.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Setup(u32);

impl Setup {
    /// Nothing differs.
    pub const USUAL: Self = Self(0);
    /// There is no handle to the region.
    pub const NO_REGION: Self = Self(1);
    /// The handle to the region is one to a VMO.
    pub const VMO_AS_REGION: Self = Self(1 << 1);
    /// The handle to the region gives no access.
    pub const WEAK_REGION: Self = Self(1 << 2);
    /// The handle to the region does not reach into regions below.
    pub const WITHOUT_CHILDREN: Self = Self(1 << 3);
    /// There is no handle to the VMO.
    pub const NO_VMO: Self = Self(1 << 4);
    /// The handle to the VMO is one to a region.
    pub const REGION_AS_VMO: Self = Self(1 << 5);
    /// The handle to the VMO cannot be mapped.
    pub const UNMAPPABLE: Self = Self(1 << 6);
    /// The handle to the VMO gives no access.
    pub const WEAK_VMO: Self = Self(1 << 7);
    /// The VMO can be resized.
    pub const RESIZABLE: Self = Self(1 << 8);
    /// The VMO can be discarded.
    pub const DISCARDABLE: Self = Self(1 << 9);
    /// The region has been destroyed.
    pub const DEAD: Self = Self(1 << 10);
    /// Nobody may choose a place in the region.
    pub const NO_PLACES: Self = Self(1 << 11);
    /// The whole region is taken by a mapping.
    pub const FULL: Self = Self(1 << 12);
    /// The result cannot be written.
    pub const BAD_RESULT: Self = Self(1 << 13);

    /// Whether this setup differs as `other` does.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// A call, as far as it differs from one that works.
#[derive(Clone, Copy)]
pub struct Plan {
    pub setup: Setup,
    pub options: u32,
    /// Options with which the rest would not be wrong.
    pub excluded: u32,
    /// The offset in the region.
    pub offset: Option<usize>,
    pub length: Option<usize>,
    pub vmo_offset: Option<u64>,
}

impl Plan {
    /// A call that works.
    pub const VALID: Self = Self {
        setup: Setup::USUAL,
        options: 0,
        excluded: 0,
        offset: None,
        length: None,
        vmo_offset: None,
    };

    /// The call that differs as both do; none if they contradict each other.
    fn joined(&self, other: &Self) -> Option<Self> {
        if self.options & other.excluded != 0 || other.options & self.excluded != 0 {
            return None;
        }
        Some(Self {
            setup: Setup(self.setup.0 | other.setup.0),
            options: self.options | other.options,
            excluded: self.excluded | other.excluded,
            offset: one_of(self.offset, other.offset)?,
            length: one_of(self.length, other.length)?,
            vmo_offset: one_of(self.vmo_offset, other.vmo_offset)?,
        })
    }

    /// A region as the plan asks for; its base is a multiple of 64 KiB.
    pub fn region(&self) -> Result<Region, Status> {
        let mut flags = CAN_MAP_ALL | VmarFlags::ALIGN_64KB;
        if self.setup.has(Setup::NO_PLACES) {
            flags.remove(VmarFlags::CAN_MAP_SPECIFIC);
        }
        let region = Region::with_flags(PAGES, flags)?;
        if self.setup.has(Setup::FULL) {
            region.map(0, &vmo_of(1)?, 0, PAGES * P, VmarFlags::PERM_READ)?;
        }
        Ok(region)
    }

    /// Destroys the region if the plan says so.
    pub fn end(&self, region: &Region) -> Result<(), Status> {
        if self.setup.has(Setup::DEAD) {
            calls::destroy(zx::AsHandleRef::raw_handle(&**region))?;
        }
        Ok(())
    }

    /// What the call takes for a handle to the region.
    pub fn region_handle(&self, region: &Region) -> Result<Handle, Status> {
        let has = |setup| self.setup.has(setup);
        if has(Setup::NO_REGION) {
            return Ok(Handle::invalid());
        }
        if has(Setup::VMO_AS_REGION) {
            return Ok(vmo_of(1)?.into_handle());
        }
        let mut rights = Rights::NONE;
        if has(Setup::WEAK_REGION) {
            rights |= Rights::READ | Rights::WRITE | Rights::EXECUTE;
        }
        if has(Setup::WITHOUT_CHILDREN) {
            rights |= Rights::OP_CHILDREN;
        }
        without_rights(&**region, rights).map(HandleBased::into_handle)
    }

    /// What the call takes for a handle to the VMO.
    pub fn vmo_handle(&self) -> Result<Handle, Status> {
        let has = |setup| self.setup.has(setup);
        if has(Setup::NO_VMO) {
            return Ok(Handle::invalid());
        }
        if has(Setup::REGION_AS_VMO) {
            return with_rights(
                &*rt::vmar_root_self(),
                Rights::BASIC.difference(Rights::WAIT),
            )
            .map(HandleBased::into_handle);
        }
        let vmo = match (has(Setup::RESIZABLE), has(Setup::DISCARDABLE)) {
            (false, false) => vmo_of(1)?,
            (true, false) => resizable_vmo_of(1)?,
            (resizable, true) => {
                let mut options = VmoOptions::DISCARDABLE;
                options.set(VmoOptions::RESIZABLE, resizable);
                Vmo::create_with_opts(options, P as u64)?
            }
        };
        let mut rights = Rights::NONE;
        if has(Setup::UNMAPPABLE) {
            rights |= Rights::MAP;
        }
        if has(Setup::WEAK_VMO) {
            rights |= Rights::READ | Rights::WRITE;
        }
        without_rights(&vmo, rights).map(HandleBased::into_handle)
    }
}

/// The value of the one that has one, or none; `None` if both have.
fn one_of<T>(first: Option<T>, second: Option<T>) -> Option<Option<T>> {
    match (first, second) {
        (Some(_), Some(_)) => None,
        (value, None) | (None, value) => Some(value),
    }
}

/// A way to break one check.
#[derive(Clone, Copy)]
pub struct Wrong {
    /// The number of the check in its table.
    pub check: u32,
    /// What the check answers.
    pub status: Status,
    /// What is wrong.
    pub plan: Plan,
}

/// Shorthand for a row of a table of wrongs.
pub const fn wrong(check: u32, status: Status, plan: Plan) -> Wrong {
    Wrong {
        check,
        status,
        plan,
    }
}

/// Makes the call of a plan.
pub type Make = fn(&Plan) -> Result<Result<(), Status>, Failure>;

/// Fails unless each of `wrongs`, which are in the order of their checks, decides over all later ones.
pub fn earlier_decides(wrongs: &[Wrong], make: Make) -> Outcome {
    for (index, first) in wrongs.iter().enumerate() {
        expect_status(first, first, make(&first.plan)?)?;
        for second in wrongs.get(index + 1..).unwrap_or_default() {
            if let Some(plan) = first.plan.joined(&second.plan) {
                expect_status(first, second, make(&plan)?)?;
            }
        }
    }
    Ok(())
}

#[track_caller]
fn expect_status(first: &Wrong, second: &Wrong, actual: Result<(), Status>) -> Outcome {
    if actual == Err(first.status) {
        return Ok(());
    }
    fail(format!(
        "checks {} and {} are broken: expected {:?} of the first, got {actual:?}",
        first.check, second.check, first.status
    ))
}
