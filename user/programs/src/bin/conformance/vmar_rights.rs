//! Permissions only shrink: from handles and capabilities to a mapping, and there for ever.
//!
//! Every combination of what a region may do, what the two handles may do, and what is asked for, against
//! the rules of `docs/spec/vmar.md` §1, §3, §5 and §7 written down once more.

use alloc::format;

use zx::{AsHandleRef, HandleBased, Rights, Status, VmarFlags, Vmo, sys};

use crate::calls::{AllocateCall, MapCall, ProtectCall, unmap};
use crate::fixtures::{P, Region, executable, vmo_of, with_rights};
use crate::harness::{Failure, Outcome, Test, check_eq, fail, tests};

pub const TESTS: &[Test] = tests![
    a_region_gives_on_what_handle_and_parent_have,
    a_mapping_may_do_what_both_handles_may,
    protect_needs_the_rights_of_the_handle_it_is_given,
    a_region_that_may_nothing_holds_mappings_that_may_nothing,
    closing_the_handles_changes_no_permission,
    weaker_handles_later_change_no_permission,
    a_grandchild_cannot_do_more_than_any_ancestor,
];

/// A set of accesses: the three permissions, in the order of their bits in every option word.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Set(u32);

impl Set {
    const READ: Self = Self(1);
    const ALL: Self = Self(7);

    /// All sets.
    fn all() -> impl Iterator<Item = Self> {
        (0..=Self::ALL.0).map(Self)
    }

    /// All sets of no more than this.
    fn subsets(self) -> impl Iterator<Item = Self> {
        Self::all().filter(move |set| self.contains(*set))
    }

    const fn contains(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// As permissions.
    const fn permissions(self) -> u32 {
        self.0 * sys::ZX_VM_PERM_READ
    }

    /// As capabilities.
    const fn capabilities(self) -> u32 {
        self.0 * sys::ZX_VM_CAN_MAP_READ
    }

    /// As rights of a handle.
    const fn rights(self) -> Rights {
        Rights::from_bits_retain(self.0 * sys::ZX_RIGHT_READ)
    }

    /// Whether a page can allow this: there is no writing and no executing without reading.
    const fn makes_sense(self) -> bool {
        self.0 == 0 || self.contains(Self::READ)
    }

    /// A region of one page with these capabilities.
    fn region(self) -> Result<Region, Status> {
        let flags = VmarFlags::from_bits_retain(self.capabilities());
        Region::with_flags(1, flags | VmarFlags::CAN_MAP_SPECIFIC)
    }
}

/// Fails, with the combination in the text, unless the answer is the expected one.
#[track_caller]
fn expect<T>(
    actual: Result<T, Status>,
    expected: Result<(), Status>,
    combination: &[Set],
) -> Outcome {
    let actual = actual.map(drop);
    if actual == expected {
        return Ok(());
    }
    fail(format!(
        "expected {expected:?}, got {actual:?} for {combination:?}"
    ))
}

fn a_region_gives_on_what_handle_and_parent_have() -> Outcome {
    for capabilities in Set::all() {
        let region = capabilities.region()?;
        for held in capabilities.subsets() {
            let handle = with_rights(&*region, held.rights())?;
            for wanted in Set::all() {
                let call = AllocateCall {
                    parent: handle.raw_handle(),
                    options: wanted.capabilities(),
                    ..AllocateCall::one_page(&region)
                };
                let expected = if held.contains(wanted) {
                    Ok(())
                } else {
                    Err(Status::ACCESS_DENIED)
                };
                let child = call.make();
                if let Ok((child, address)) = &child {
                    let got = child.basic_info()?.rights;
                    check_eq(got, Rights::VMAR_DEFAULT | wanted.rights())?;
                    unmap(region.raw_handle(), *address, P)?;
                }
                expect(child, expected, &[capabilities, held, wanted])?;
            }
        }
    }
    Ok(())
}

/// What `zx_vmar_map` answers.
fn map_verdict(held: Set, wanted: Set) -> Result<(), Status> {
    if !wanted.makes_sense() {
        Err(Status::INVALID_ARGS)
    } else if !held.contains(wanted) {
        Err(Status::ACCESS_DENIED)
    } else {
        Ok(())
    }
}

/// What `zx_vmar_protect` answers.
fn protect_verdict(handle: Set, maximal: Set, wanted: Set) -> Result<(), Status> {
    if !handle.contains(wanted) {
        Err(Status::ACCESS_DENIED)
    } else if !wanted.makes_sense() {
        Err(Status::INVALID_ARGS)
    } else if !maximal.contains(wanted) {
        Err(Status::ACCESS_DENIED)
    } else {
        Ok(())
    }
}

/// The permissions that the one mapping of the region is shown with.
fn shown(region: &Region) -> Result<u32, Failure> {
    let shape = region.shape()?;
    let mapping = shape.iter().find_map(|line| line.mapping);
    Ok(mapping.ok_or(Status::NOT_FOUND)?.permissions)
}

fn a_mapping_may_do_what_both_handles_may() -> Outcome {
    let vmo = executable(vmo_of(1)?)?;
    for capabilities in Set::all() {
        let region = capabilities.region()?;
        for of_region in capabilities.subsets() {
            for of_vmo in Set::all() {
                try_mappings(&region, &vmo, [capabilities, of_region, of_vmo])?;
            }
        }
    }
    Ok(())
}

/// Makes mappings with all permissions through handles with these rights, and changes each to all others.
fn try_mappings(region: &Region, vmo: &Vmo, sets: [Set; 3]) -> Outcome {
    let [capabilities, of_region, of_vmo] = sets;
    let handle = with_rights(&**region, of_region.rights())?;
    let vmo = with_rights(vmo, of_vmo.rights() | Rights::MAP)?;
    let maximal = of_region.and(of_vmo);
    for wanted in Set::all() {
        let call = MapCall {
            vmar: handle.raw_handle(),
            options: wanted.permissions(),
            ..MapCall::one_page(region, &vmo)
        };
        let answer = call.make();
        expect(
            answer,
            map_verdict(maximal, wanted),
            &[capabilities, of_region, of_vmo, wanted],
        )?;
        let Ok(address) = answer else { continue };
        check_eq(shown(region)?, wanted.permissions())?;
        for later in Set::all() {
            let before = shown(region)?;
            let call = ProtectCall {
                options: later.permissions(),
                ..ProtectCall::read_only(region, 0)
            };
            let expected = protect_verdict(capabilities, maximal, later);
            expect(
                call.make(),
                expected,
                &[capabilities, of_region, of_vmo, wanted, later],
            )?;
            let after = if expected.is_ok() {
                later.permissions()
            } else {
                before
            };
            check_eq(shown(region)?, after)?;
        }
        unmap(region.raw_handle(), address, P)?;
    }
    Ok(())
}

fn protect_needs_the_rights_of_the_handle_it_is_given() -> Outcome {
    let region = Region::new(1)?;
    region.map_at(0, &executable(vmo_of(1)?)?, 1)?;
    for held in Set::all() {
        let handle = with_rights(&*region, held.rights())?;
        for wanted in Set::all() {
            let call = ProtectCall {
                vmar: handle.raw_handle(),
                options: wanted.permissions(),
                ..ProtectCall::read_only(&region, 0)
            };
            expect(
                call.make(),
                protect_verdict(held, Set::ALL, wanted),
                &[held, wanted],
            )?;
        }
    }
    Ok(())
}

fn a_region_that_may_nothing_holds_mappings_that_may_nothing() -> Outcome {
    let region = Set(0).region()?;
    let vmo = vmo_of(1)?;
    let call = MapCall {
        options: 0,
        ..MapCall::one_page(&region, &vmo)
    };
    call.make()?;
    for wanted in Set::all().skip(1) {
        let call = ProtectCall {
            options: wanted.permissions(),
            ..ProtectCall::read_only(&region, 0)
        };
        region.refuses(Status::ACCESS_DENIED, || call.make())?;
    }
    Ok(())
}

/// Changes the mapping at page 0 to read-write and back, or fails to.
fn can_become_writable(region: &Region) -> Result<bool, Failure> {
    let read_only = ProtectCall::read_only(region, 0);
    let read_write = ProtectCall {
        options: sys::ZX_VM_PERM_READ | sys::ZX_VM_PERM_WRITE,
        ..read_only
    };
    match read_write.make() {
        Ok(()) => {
            read_only.make()?;
            Ok(true)
        }
        Err(Status::ACCESS_DENIED) => Ok(false),
        Err(other) => Err(other.into()),
    }
}

fn closing_the_handles_changes_no_permission() -> Outcome {
    for (rights, writable) in [(Rights::READ | Rights::WRITE, true), (Rights::READ, false)] {
        let region = Region::new(1)?;
        let vmo = with_rights(&vmo_of(1)?, rights | Rights::MAP)?;
        let handle = region.duplicate_handle(Rights::SAME_RIGHTS)?;
        handle.map(0, &vmo, 0, P, VmarFlags::PERM_READ)?;
        check_eq(can_become_writable(&region)?, writable)?;
        drop(vmo);
        check_eq(can_become_writable(&region)?, writable)?;
        drop(handle);
        check_eq(can_become_writable(&region)?, writable)?;
    }
    Ok(())
}

fn weaker_handles_later_change_no_permission() -> Outcome {
    let region = Region::new(2)?;
    let (strong, weak) = (
        vmo_of(1)?,
        with_rights(&vmo_of(1)?, Rights::READ | Rights::MAP)?,
    );
    let flags = VmarFlags::PERM_READ | VmarFlags::SPECIFIC;
    region.map(0, &strong, 0, P, flags)?;
    let weaker = region.duplicate_handle(Rights::READ)?;
    weaker.map(P, &strong, 0, P, flags)?;
    // A handle that loses its rights afterwards, and one that gains them, in a manner of speaking.
    let strong = strong.replace_handle(Rights::MAP)?;
    let again = weak.replace_handle(Rights::SAME_RIGHTS)?;
    check_eq(can_become_writable(&region)?, true)?;
    let second = ProtectCall {
        options: sys::ZX_VM_PERM_READ | sys::ZX_VM_PERM_WRITE,
        ..ProtectCall::read_only(&region, 1)
    };
    region.refuses(Status::ACCESS_DENIED, || second.make())?;
    drop((strong, again));
    region.refuses(Status::ACCESS_DENIED, || second.make())
}

fn a_grandchild_cannot_do_more_than_any_ancestor() -> Outcome {
    let flags = |set: Set| VmarFlags::from_bits_retain(set.capabilities());
    for of_parent in Set::all() {
        let region = of_parent.region()?;
        for of_child in of_parent.subsets() {
            let (child, address) = region.allocate(0, P, flags(of_child))?;
            for wanted in Set::all() {
                let grandchild = child.allocate(0, P, flags(wanted));
                let expected = if of_child.contains(wanted) {
                    Ok(())
                } else {
                    Err(Status::ACCESS_DENIED)
                };
                if grandchild.is_ok() {
                    unmap(child.raw_handle(), address, P)?;
                }
                expect(grandchild, expected, &[of_parent, of_child, wanted])?;
            }
            unmap(region.raw_handle(), address, P)?;
        }
    }
    Ok(())
}
