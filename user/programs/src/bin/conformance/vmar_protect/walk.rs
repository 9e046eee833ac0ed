//! The walk over the mappings of a range: checks 9 to 13, and which of them decides.
//!
//! The walk stops at the first mapping with something wrong; within one mapping the checks come in the
//! order of the table.

use alloc::format;

use zx::{AsHandleRef, Rights, Status, VmarFlags};

use super::{READ, WRITE};
use crate::calls::ProtectCall;
use crate::fixtures::{CAN_MAP_ALL, P, READ_WRITE, Region, vmo_of, without_rights};
use crate::harness::{Outcome, Test, fail, tests};

pub const TESTS: &[Test] = tests![
    the_lowest_failing_page_decides,
    each_check_decides_over_later_ones_in_one_mapping,
];

/// What is at a page of a range that is to become readable and writable.
#[derive(Clone, Copy, Debug)]
enum Page {
    /// A mapping that may become so.
    Good,
    /// Nothing.
    Hole,
    /// A mapping of a VMO that is read-only for ever.
    ReadOnly,
    /// A mapping in a region of its own, which is readable and writable already.
    Below,
    /// The same, but only readable, so that an ancestor may not change it.
    BelowAndLess,
    /// A mapping in a region of its own of a VMO that is read-only for ever.
    BelowReadOnly,
    /// A region with nothing in it.
    Empty,
}

const PAGES: [Page; 7] = [
    Page::Good,
    Page::Hole,
    Page::ReadOnly,
    Page::Below,
    Page::BelowAndLess,
    Page::BelowReadOnly,
    Page::Empty,
];

impl Page {
    /// Makes page `page` of `region` so.
    fn put(self, region: &Region, page: usize) -> Result<(), Status> {
        let vmo = vmo_of(1)?;
        let read_only = without_rights(&vmo, Rights::WRITE)?;
        let (vmo, flags) = match self {
            Self::Hole | Self::Empty => (&vmo, VmarFlags::empty()),
            Self::Good | Self::Below => (&vmo, READ_WRITE),
            Self::BelowAndLess => (&vmo, VmarFlags::PERM_READ),
            Self::ReadOnly | Self::BelowReadOnly => (&read_only, VmarFlags::PERM_READ),
        };
        // Regions below live on without their handles.
        let below = || region.allocate(page * P, P, CAN_MAP_ALL | VmarFlags::SPECIFIC);
        match self {
            Self::Hole => Ok(()),
            Self::Empty => below().map(drop),
            Self::Good | Self::ReadOnly => {
                let flags = flags | VmarFlags::SPECIFIC;
                region.map(page * P, vmo, 0, P, flags).map(drop)
            }
            Self::Below | Self::BelowAndLess | Self::BelowReadOnly => {
                below()?.0.map(0, vmo, 0, P, flags).map(drop)
            }
        }
    }

    /// What stops the walk at such a page, if the handle reaches into regions below as `reaches` says.
    fn verdict(self, reaches: Reaches) -> Option<Status> {
        match (self, reaches) {
            (Self::Good, _) | (Self::Below, Reaches::Below) => None,
            (Self::Hole | Self::Empty, _) => Some(Status::NOT_FOUND),
            (Self::ReadOnly | Self::BelowReadOnly, _) => Some(Status::ACCESS_DENIED),
            (Self::Below | Self::BelowAndLess, Reaches::OnlyDirect) => Some(Status::INVALID_ARGS),
            (Self::BelowAndLess, Reaches::Below) => Some(Status::ACCESS_DENIED),
        }
    }
}

/// Whether a handle has OP_CHILDREN.
#[derive(Clone, Copy, Debug)]
enum Reaches {
    Below,
    OnlyDirect,
}

/// Makes a region of such pages readable and writable, and checks the answer and that all or nothing is done.
fn try_pages(pages: &[Page], reaches: Reaches) -> Outcome {
    let region = Region::new(pages.len())?;
    for (index, page) in pages.iter().enumerate() {
        page.put(&region, index)?;
    }
    let handle = match reaches {
        Reaches::Below => without_rights(&*region, Rights::NONE)?,
        Reaches::OnlyDirect => without_rights(&*region, Rights::OP_CHILDREN)?,
    };
    let call = ProtectCall {
        vmar: handle.raw_handle(),
        options: READ | WRITE,
        length: pages.len() * P,
        ..ProtectCall::read_only(&region, 0)
    };
    let before = region.shape()?;
    let verdict = pages.iter().find_map(|page| page.verdict(reaches));
    let actual = call.make();
    if actual != verdict.map_or(Ok(()), Err) {
        return fail(format!(
            "{pages:?} through {reaches:?}: expected {verdict:?}, got {actual:?}"
        ));
    }
    if actual.is_err() && region.shape()? != before {
        return fail(format!("{pages:?}: a failed call has changed something"));
    }
    Ok(())
}

fn the_lowest_failing_page_decides() -> Outcome {
    for reaches in [Reaches::Below, Reaches::OnlyDirect] {
        for first in PAGES {
            try_pages(&[first], reaches)?;
            for second in PAGES {
                try_pages(&[first, second], reaches)?;
                for third in PAGES {
                    try_pages(&[first, second, third], reaches)?;
                }
            }
        }
    }
    Ok(())
}

fn each_check_decides_over_later_ones_in_one_mapping() -> Outcome {
    // A hole before a mapping that has everything else wrong, 9 before 10 to 12.
    try_pages(&[Page::Hole, Page::BelowReadOnly], Reaches::OnlyDirect)?;
    // Too little for ever, in a region that the handle does not reach, 10 before 11.
    try_pages(&[Page::BelowReadOnly], Reaches::OnlyDirect)?;
    // In a region that the handle does not reach, and it would grow, 11 before 12.
    try_pages(&[Page::BelowAndLess], Reaches::OnlyDirect)
}
