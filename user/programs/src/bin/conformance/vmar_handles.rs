//! Handles closed in every order: what is mapped stays until somebody takes it out.

use alloc::format;
use alloc::vec::Vec;

use zx::{AsHandleRef, HandleBased, Koid, Rights, Status, Vmar, VmarFlags, Vmo};

use crate::calls;
use crate::fixtures::{CAN_MAP_ALL, P, Probe, READ_WRITE, Region, peek, poke, vmo_of};
use crate::harness::{Outcome, Test, check_eq, check_refused, fail, tests};

pub const TESTS: &[Test] = tests![
    a_mapping_outlives_its_handles_in_every_order,
    a_region_outlives_its_handle_and_cannot_be_reached,
    a_duplicate_is_the_same_region,
    a_vmo_lives_as_long_as_it_is_mapped,
    replaced_handles_do_not_matter_to_what_is_mapped,
];

/// What may happen to a mapping in a child of a region, each once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Step {
    CloseParent,
    CloseChild,
    CloseVmo,
    CloseDuplicateOfChild,
    UnmapChild,
}

const STEPS: [Step; 5] = [
    Step::CloseParent,
    Step::CloseChild,
    Step::CloseVmo,
    Step::CloseDuplicateOfChild,
    Step::UnmapChild,
];

/// A mapping in a child of a region, and the handles to all of them.
struct Scene {
    outer: Region,
    parent: Option<Vmar>,
    child: Option<Vmar>,
    duplicate: Option<Vmar>,
    vmo: Option<Vmo>,
    address: usize,
}

impl Scene {
    fn new() -> Result<Self, Status> {
        let outer = Region::new(4)?;
        let flags = CAN_MAP_ALL | VmarFlags::SPECIFIC;
        let (parent, _) = outer.allocate(P, 2 * P, flags)?;
        let (child, _) = parent.allocate(P, P, flags)?;
        let vmo = vmo_of(1)?;
        let address = child.map(0, &vmo, 0, P, READ_WRITE)?;
        poke(address, 42);
        Ok(Self {
            outer,
            parent: Some(parent),
            duplicate: Some(child.duplicate_handle(Rights::SAME_RIGHTS)?),
            child: Some(child),
            vmo: Some(vmo),
            address,
        })
    }

    fn take(&mut self, step: Step) -> Result<(), Status> {
        match step {
            Step::CloseParent => self.parent = None,
            Step::CloseChild => self.child = None,
            Step::CloseVmo => self.vmo = None,
            Step::CloseDuplicateOfChild => self.duplicate = None,
            Step::UnmapChild => calls::unmap(self.outer.raw_handle(), self.outer.at(1), 2 * P)?,
        }
        Ok(())
    }
}

/// All orders of `steps`.
fn orders(steps: &[Step]) -> Vec<Vec<Step>> {
    let mut orders: Vec<Vec<Step>> = [Vec::new()].into();
    for _ in steps {
        let longer = |order: &Vec<Step>| {
            let order = order.clone();
            let rest = steps.iter().filter(move |step| !order.contains(step));
            rest.copied().collect::<Vec<_>>()
        };
        orders = orders
            .iter()
            .flat_map(|order| {
                longer(order)
                    .into_iter()
                    .map(|step| [&order[..], &[step]].concat())
            })
            .collect();
    }
    orders
}

fn a_mapping_outlives_its_handles_in_every_order() -> Outcome {
    let probe = Probe::new()?;
    let orders = orders(&STEPS);
    check_eq(orders.len(), 120)?;
    for order in orders {
        let mut scene = Scene::new()?;
        for (done, &step) in order.iter().enumerate() {
            scene.take(step)?;
            let is_mapped = !order[..=done].contains(&Step::UnmapChild);
            let seen = probe.is_readable(scene.address)?;
            if seen != is_mapped || is_mapped && peek(scene.address) != 42 {
                return fail(format!("{order:?}, after {step:?}: readable is {seen}"));
            }
        }
        check_eq(scene.outer.shape()?.len(), 1)?;
    }
    Ok(())
}

fn a_region_outlives_its_handle_and_cannot_be_reached() -> Outcome {
    let region = Region::new(4)?;
    let (child, _) = region.allocate(P, 2 * P, CAN_MAP_ALL | VmarFlags::SPECIFIC)?;
    drop(child);
    let vmo = vmo_of(1)?;
    // Its place stays taken.
    region.refuses(Status::ALREADY_EXISTS, || region.map_at(1, &vmo, 1))?;
    region.refuses(Status::ALREADY_EXISTS, || region.map_at(2, &vmo, 1))?;
    check_eq(region.shape()?.len(), 2)?;
    calls::unmap(region.raw_handle(), region.at(1), 2 * P)?;
    region.map_at(1, &vmo, 1).map(drop).map_err(Into::into)
}

fn a_duplicate_is_the_same_region() -> Outcome {
    let region = Region::new(4)?;
    let duplicate = region.duplicate_handle(Rights::SAME_RIGHTS)?;
    check_eq(duplicate.get_koid()?, region.get_koid()?)?;
    let vmo = vmo_of(1)?;
    let address = duplicate.map(P, &vmo, 0, P, READ_WRITE | VmarFlags::SPECIFIC)?;
    region.refuses(Status::ALREADY_EXISTS, || region.map_at(1, &vmo, 1))?;
    calls::unmap(region.raw_handle(), address, P)?;
    calls::destroy(duplicate.raw_handle())?;
    check_refused(region.map_at(1, &vmo, 1), Status::BAD_STATE)
}

fn a_vmo_lives_as_long_as_it_is_mapped() -> Outcome {
    let region = Region::new(2)?;
    let vmo = vmo_of(1)?;
    let koid = vmo.get_koid()?;
    let address = region.map_at(0, &vmo, 1)?;
    poke(address, 9);
    drop(vmo);
    let shape = region.shape()?;
    let shown = shape.iter().find_map(|line| line.mapping);
    check_eq(shown.map(|mapping| mapping.vmo), Some(koid))?;
    check_eq(peek(address), 9)?;
    let maps = region.info_maps_vec()?;
    let committed = maps.iter().filter_map(zx::MapInfo::as_mapping);
    check_eq(
        committed
            .map(|mapping| mapping.committed_bytes)
            .sum::<usize>(),
        P,
    )
}

fn replaced_handles_do_not_matter_to_what_is_mapped() -> Outcome {
    let region = Region::new(2)?;
    let (child, _) = region.allocate(0, P, CAN_MAP_ALL)?;
    let vmo = vmo_of(1)?;
    let koids: [Koid; 2] = [child.get_koid()?, vmo.get_koid()?];
    let address = child.map(0, &vmo, 0, P, READ_WRITE)?;
    let child = child.replace_handle(Rights::NONE)?;
    let vmo = vmo.replace_handle(Rights::NONE)?;
    check_eq([child.get_koid()?, vmo.get_koid()?], koids)?;
    poke(address, 6);
    check_eq(peek(address), 6)?;
    check_refused(vmo.read_to_object::<u8>(0), Status::ACCESS_DENIED)?;
    check_refused(calls::destroy(child.raw_handle()), Status::ACCESS_DENIED)?;
    check_eq(peek(address), 6)
}
