//! Calls on whole VMOs, and on what VMOs for devices are made with.

use alloc::sync::Arc;

use ktest::ktest;
use syscall::kernel::{SystemCalls, UserIn};
use syscall::{
    HandleValue, IommuType, Name, ResourceKind, ResourceOptions, Rights, SystemResource,
    TransferDataOptions, VmoChildOptions, VmoOp, VmoOptions,
};
use vm::addr::PAGE_SIZE;

use super::{Sandbox, close_place_0, in_process, starve};
use crate::handle::Handle;
use crate::object::{Bti, Iommu, KernelObject, Resource};
use crate::syscalls::{Calls, caller};

const PAGE: u64 = PAGE_SIZE as u64;

/// A page of a device, which nobody ever touches.
const DEVICE: u64 = 0xfe00_0000;

/// Gives the caller a handle with all rights, and leaves it in place 7.
fn keep(sandbox: &Sandbox, object: impl Into<KernelObject>) {
    let handle = Handle::new(object, Rights::ALL);
    let value = caller().add_handle(handle).expect("room for a handle");
    sandbox.set(7, value);
}

fn resource(kind: ResourceKind, base: u64) -> Arc<Resource> {
    Arc::new(Resource::new(kind, base..base + PAGE, Name::default()))
}

/// A VMO of four pages, of which every other one is there.
fn half_full(sandbox: &Sandbox) -> HandleValue {
    let vmo = sandbox.vmo(4 * PAGE, VmoOptions::empty());
    for page in [0, 2] {
        assert_eq!(
            Calls.vmo_write(vmo, sandbox.input(1), page * PAGE, 8),
            Ok(())
        );
    }
    vmo
}

#[ktest]
fn a_commit_without_memory_changes_nothing() {
    in_process(|sandbox| {
        sandbox.set(7, half_full(sandbox));
        let operate = |sandbox: &Sandbox, op, offset| {
            let (vmo, buffer) = (sandbox.get(7), sandbox.out(0));
            Calls.vmo_op_range(vmo, op, offset, PAGE, buffer, 0)
        };
        let commit = |sandbox: &Sandbox| operate(sandbox, VmoOp::COMMIT, PAGE);
        let decommit = |sandbox: &Sandbox| operate(sandbox, VmoOp::DECOMMIT, PAGE);
        starve(sandbox, commit, decommit);
    });
}

#[ktest]
fn children_without_memory_change_nothing() {
    in_process(|sandbox| {
        sandbox.set(7, half_full(sandbox));
        for (options, offset, size) in [
            (VmoChildOptions::SNAPSHOT, 0, 4 * PAGE),
            (VmoChildOptions::SNAPSHOT, PAGE, PAGE),
            (VmoChildOptions::SLICE, PAGE, PAGE),
            (VmoChildOptions::REFERENCE, 0, 0),
        ] {
            let create = |sandbox: &Sandbox| {
                let (vmo, child) = (sandbox.get(7), sandbox.out(0));
                Calls.vmo_create_child(vmo, options, offset, size, child)
            };
            starve(sandbox, create, close_place_0);
        }
    });
}

#[ktest]
fn a_transfer_without_memory_changes_nothing() {
    in_process(|sandbox| {
        sandbox.set(7, half_full(sandbox));
        sandbox.set(6, sandbox.vmo(4 * PAGE, VmoOptions::empty()));
        let transfer = |to: HandleValue, from| {
            let options = TransferDataOptions::empty();
            Calls.vmo_transfer_data(to, options, 0, 4 * PAGE, from, 0)
        };
        let there = |sandbox: &Sandbox| transfer(sandbox.get(6), sandbox.get(7));
        let back = |sandbox: &Sandbox| transfer(sandbox.get(7), sandbox.get(6));
        starve(sandbox, there, back);
    });
}

#[ktest]
fn a_change_of_the_cache_policy_without_memory_changes_nothing() {
    in_process(|sandbox| {
        sandbox.set(7, half_full(sandbox));
        let set = |sandbox: &Sandbox, policy| Calls.vmo_set_cache_policy(sandbox.get(7), policy);
        starve(
            sandbox,
            |sandbox| set(sandbox, 1),
            |sandbox| set(sandbox, 0),
        );
    });
}

#[ktest]
fn vmos_for_devices_without_memory_leave_nothing() {
    in_process(|sandbox| {
        keep(sandbox, Bti::new().expect("memory for an object"));
        let contiguous = |sandbox: &Sandbox| {
            Calls.vmo_create_contiguous(sandbox.get(7), 3 * PAGE_SIZE, 0, sandbox.out(0))
        };
        starve(sandbox, contiguous, close_place_0);
        keep(sandbox, resource(ResourceKind::Mmio, DEVICE));
        let physical = |sandbox: &Sandbox| {
            let (resource, out) = (sandbox.get(7), sandbox.out(0));
            Calls.vmo_create_physical(resource, DEVICE as usize, PAGE_SIZE, out)
        };
        starve(sandbox, physical, close_place_0);
    });
}

#[ktest]
fn what_devices_need_without_memory_leaves_nothing() {
    in_process(|sandbox| {
        keep(sandbox, resource(ResourceKind::Mmio, DEVICE));
        let part = |sandbox: &Sandbox| {
            let options = ResourceOptions::from_bits_retain(ResourceKind::Mmio as u32);
            let (parent, name) = (sandbox.get(7), UserIn::new(sandbox.page));
            Calls.resource_create(parent, options, DEVICE, 16, name, 4, sandbox.out(0))
        };
        starve(sandbox, part, close_place_0);
        keep(
            sandbox,
            resource(ResourceKind::System, SystemResource::Iommu as u64),
        );
        let iommu = |sandbox: &Sandbox| {
            let description = UserIn::new(sandbox.page);
            let (resource, out) = (sandbox.get(7), sandbox.out(0));
            Calls.iommu_create(resource, IommuType::DUMMY, description, 1, out)
        };
        starve(sandbox, iommu, close_place_0);
        keep(sandbox, Iommu::dummy().expect("memory for an object"));
        let bti = |sandbox: &Sandbox| Calls.bti_create(sandbox.get(7), 0, 1, sandbox.out(0));
        starve(sandbox, bti, close_place_0);
    });
}
